import { sql } from "kysely";
import { BoundedCache } from "./bounded-cache.ts";
import type { ContentKey, Keyring } from "./content-keys.ts";
import type { Database } from "./scope.ts";

/** Which run. */
interface RunName {
  readonly workspaceId: string;
  readonly runId: string;
}

/** The content keys of runs: each stands with the run's event. */
export interface RunKeys {
  /** The key that a run's content was sealed with. Null when there is none: erased, never sealed, or no such run. */
  toRead(run: RunName): Promise<ContentKey | null>;
  /** The key to seal more of a run's content with; a run of before content was sealed is given one. Null when it was erased, or there is no such run. */
  toWrite(run: RunName): Promise<ContentKey | null>;
  /** Notes the key of a run, which was just made or read, so that nobody need ask for it. */
  note(run: RunName, key: ContentKey): void;
  /** To be called when a run was erased here. */
  forget(run: RunName): void;
}

/** Runs under way, and those that people look at. */
const mostKnown = 4096;

const nameOf = ({ workspaceId, runId }: RunName): string => `${workspaceId}/${runId}`;

/**
 * Finds the keys of runs. What it remembers of a run that another process erased opens nothing that was there: with the key,
 * all that it sealed was removed.
 */
export function createRunKeys(db: Database, keyring: Keyring): RunKeys {
  const known = new BoundedCache<string, ContentKey>(mostKnown);
  const remember = (run: RunName, seed: string | null | undefined): ContentKey | null => {
    if (seed === null || seed === undefined) return null;
    const key = keyring.openKey(seed);
    known.set(nameOf(run), key);
    return key;
  };
  async function find(run: RunName): Promise<ContentKey | null> {
    const { rows } = await sql<{ contentKey: string | null }>`
      select (select content_key from sluice.events where workspace_id = run.workspace_id and id = run.event_id)
      from sluice.runs as run where run.workspace_id = ${run.workspaceId} and run.id = ${run.runId}`.execute(db);
    return remember(run, rows[0]?.contentKey);
  }
  /** Whoever comes second gets the key of the first. */
  async function give(run: RunName): Promise<ContentKey | null> {
    const { rows } = await sql<{ contentKey: string }>`
      update sluice.events as event set content_key = coalesce(event.content_key, ${keyring.newKey().seed})
      from sluice.runs as run
      where run.workspace_id = ${run.workspaceId} and run.id = ${run.runId}
        and event.workspace_id = run.workspace_id and event.id = run.event_id and event.erased_at is null
      returning event.content_key`.execute(db);
    return remember(run, rows[0]?.contentKey);
  }
  return {
    toRead: async (run) => known.get(nameOf(run)) ?? find(run),
    toWrite: async (run) => known.get(nameOf(run)) ?? (await find(run)) ?? give(run),
    note: (run, key) => known.set(nameOf(run), key),
    forget: (run) => known.delete(nameOf(run)),
  };
}
