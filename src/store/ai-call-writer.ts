import { sql } from "kysely";
import type { Admission, ModelClaim, ModelSettlement } from "./ai-calls.ts";
import { createBatch } from "./batch.ts";
import { type Database, query, runTakenOver } from "./scope.ts";

/** A part of `pass_ai_calls`, as JSON: rows and entries have the names that its SQL reads. */
type Row = { readonly [name: string]: unknown };

/** A call that is about to leave. */
interface Beginning {
  readonly kind: "begins";
  readonly workspaceId: string;
  readonly runId: string;
  readonly row: Row;
  /** Null: nothing limits it. */
  readonly claim: ModelClaim | null;
  readonly entry: Row;
}

/** A call that has come to its end. */
interface Ending {
  readonly kind: "ended";
  readonly workspaceId: string;
  readonly row: Row;
  readonly settlement: ModelSettlement | null;
  readonly entry: Row;
}

/**
 * Writes that a call begins, or has ended. What comes meanwhile shares the next statement and commit.
 *
 * @throws RUN_TAKEN_OVER for a call whose run has another execution by now.
 */
export type AiCallWriter = (call: Beginning | Ending) => Promise<Admission>;

export function createAiCallWriter(db: Database): AiCallWriter {
  return createBatch<Beginning | Ending, Admission>({
    inFlight: 1,
    limit: 100,
    flush: (calls) => query(() => writeAll(db, calls)),
  });
}

const letThrough: Admission = { ok: true };

async function writeAll(db: Database, calls: readonly (Beginning | Ending)[]): Promise<Admission[]> {
  const verdicts = new Map<Beginning | Ending, Admission>();
  const workspaces = Map.groupBy(calls, ({ workspaceId }) => workspaceId);
  const write = async (on: Database): Promise<void> => {
    for (const [workspaceId, own] of workspaces) {
      for (const [call, verdict] of await writeOwn(on, workspaceId, own)) verdicts.set(call, verdict);
    }
  };
  try {
    await (workspaces.size === 1 ? write(db) : db.transaction().execute(write));
  } catch (thrown) {
    const [only] = calls;
    // With others, each is written again by itself.
    if (calls.length === 1 && only?.kind === "begins" && isTakenOver(thrown)) throw runTakenOver(only.runId);
    throw thrown;
  }
  return calls.map((call) => verdicts.get(call) ?? letThrough);
}

/** The calls of one workspace. Gives the verdicts of those that were claimed. */
async function writeOwn(
  db: Database,
  workspaceId: string,
  calls: readonly (Beginning | Ending)[],
): Promise<[Beginning, Admission][]> {
  const endings = calls.filter((call) => call.kind === "ended");
  const beginnings = calls.filter((call) => call.kind === "begins");
  const claimed = beginnings.filter(({ claim }) => claim !== null);
  const admitted = [...claimed, ...beginnings.filter(({ claim }) => claim === null)];
  const settlements = endings.flatMap(({ settlement }) => settlement ?? []);
  const { rows } = await sql<{ verdicts: Admission[] | null }>`
    select sluice.pass_ai_calls(${workspaceId}, ${toList(settlements)}::json, ${toList(endings.map(({ row }) => row))}::json,
      ${toList(endings.map(({ entry }) => entry))}::json, ${toList(claimed.map(({ claim }) => claim))}::json,
      ${toList(admitted.map(({ row }) => row))}::json, ${toList(admitted.map(({ entry }) => entry))}::json) as verdicts`.execute(
    db,
  );
  return claimed.map((call, at) => [call, rows[0]?.verdicts?.[at] ?? letThrough]);
}

/** Null for none, which the SQL passes over. */
function toList(items: readonly unknown[]): string | null {
  return items.length === 0 ? null : JSON.stringify(items);
}

function isTakenOver(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as { readonly code?: unknown }).code === "SLT01";
}
