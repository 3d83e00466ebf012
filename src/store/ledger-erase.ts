import { sql } from "kysely";
import { SluiceError } from "../core/index.ts";
import { createContentStore } from "./content-store.ts";
import { appendEntries } from "./ledger-rows.ts";
import { candidateIndexes, erasureDigest } from "./ledger-subjects.ts";
import { query, type Scope } from "./scope.ts";
import type { RunStatus } from "./tables.ts";

/** What was erased. */
export interface Erasure {
  /** Runs whose content is unreadable now. */
  readonly runs: number;
  /** AI calls of these runs. */
  readonly calls: number;
  /** Number of the ledger's last entry about it. */
  readonly entry: number;
}

/** Runs that are erased together, with one entry: others wait for no longer than a moment. */
const batchSize = 200;

/**
 * Makes all content of the runs of a person unreadable, and says so in the ledger. See `erase` in ledger.ts.
 *
 * Content goes first: should this process die before the entry is written, the runs are still found, and it is done again.
 */
export async function eraseSubject(scope: Scope, subject: string, by: string): Promise<Erasure> {
  const indexes = candidateIndexes(scope.keyring, subject);
  const runIds = await findEndedRuns(scope, indexes);
  let erasure: Erasure = { runs: 0, calls: 0, entry: 0 };
  // Also when there is nothing to erase: that it was asked for is worth an entry.
  for (let at = 0; at === 0 || at < runIds.length; at += batchSize) {
    const batch = runIds.slice(at, at + batchSize);
    if (batch.length > 0) await createContentStore(scope).erase(batch);
    const { calls, entry } = await recordErasure(scope, batch, erasureDigest(indexes), by);
    erasure = { runs: erasure.runs + batch.length, calls: erasure.calls + calls, entry };
  }
  return erasure;
}

/**
 * The runs that were about a person, those that started them and those that they started: what these were given stands there
 * as well. Not what the starting ones started besides, which may be about anybody.
 *
 * @throws SUBJECT_BUSY when one of them has not ended.
 */
async function findEndedRuns({ db, workspaceId }: Scope, indexes: readonly string[]): Promise<string[]> {
  const { rows } = await query(() =>
    sql<{ id: string; status: RunStatus }>`
      with recursive own as (
        select distinct run.id, run.parent_run_id from sluice.subjects as subject
        join sluice.runs as run on run.workspace_id = subject.workspace_id and run.id = subject.run_id
        where subject.workspace_id = ${workspaceId} and subject.subject = any(${indexes})
      ), above as (
        select id, parent_run_id from own
        union select run.id, run.parent_run_id from above
          join sluice.runs as run on run.workspace_id = ${workspaceId} and run.id = above.parent_run_id
      ), below as (
        select id from own
        union select run.id from below
          join sluice.runs as run on run.workspace_id = ${workspaceId} and run.parent_run_id = below.id
      )
      select id, status from sluice.runs
      where workspace_id = ${workspaceId} and id in (select id from above union select id from below) order by id`.execute(
      db,
    ),
  );
  const unfinished = rows.filter(({ status }) => ["queued", "running", "waiting"].includes(status));
  if (unfinished.length > 0) {
    throw new SluiceError("SUBJECT_BUSY", {
      message: `${unfinished.length} of the ${rows.length} runs with this subject have not ended, such as "${unfinished[0]?.id}"`,
      hint: "Nothing was erased. Wait for them, or cancel them with: sluice runs cancel RUN",
    });
  }
  return rows.map(({ id }) => id);
}

/** Forgets whom the runs were about, also others: there is nothing left in them about anybody. */
async function recordErasure(scope: Scope, runIds: readonly string[], digest: string, by: string) {
  const { db, workspaceId } = scope;
  return query(() =>
    db.transaction().execute(async (transaction) => {
      await sql`delete from sluice.subjects where workspace_id = ${workspaceId} and run_id = any(${runIds})`.execute(
        transaction,
      );
      const { rows } = await sql<{ calls: number }>`
        select count(*) as calls from sluice.ai_calls where workspace_id = ${workspaceId} and run_id = any(${runIds})`.execute(
        transaction,
      );
      const calls = rows[0]?.calls ?? 0;
      const data = { runs: runIds.length, calls, by };
      const entry = await appendEntries(transaction, workspaceId, [
        { at: new Date(), kind: "subject.erased", runId: null, ref: null, digest, data },
      ]);
      return { calls, entry };
    }),
  );
}
