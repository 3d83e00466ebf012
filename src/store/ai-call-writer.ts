import type { Pool } from "pg";
import type { Admission, ModelClaim, ModelSettlement } from "./ai-calls.ts";
import { createBatch } from "./batch.ts";
import { query, runTakenOver } from "./scope.ts";

/** A part of `pass_ai_calls`, as JSON: rows and entries have the names that its SQL reads. */
type Row = { readonly [name: string]: unknown };

/** A call that is about to leave. */
interface Beginning {
  readonly kind: "begins";
  readonly runId: string;
  readonly row: Row;
  /** Null: nothing limits it. */
  readonly claim: ModelClaim | null;
  readonly entry: Row;
}

/** A call that has come to its end. */
interface Ending {
  readonly kind: "ended";
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

/** A writer for the calls of one workspace. */
export function createAiCallWriter(pool: Pick<Pool, "query">, workspaceId: string): AiCallWriter {
  return createBatch<Beginning | Ending, Admission>({
    inFlight: 1,
    limit: 100,
    flush: (calls) => query(() => writeAll(pool, workspaceId, calls)),
  });
}

const letThrough: Admission = { ok: true };

/** Without the query builder, which takes a tenth of a millisecond for what never changes. */
const statement =
  "select sluice.pass_ai_calls($1, $2::json, $3::json, $4::json, $5::json, $6::json, $7::json) as verdicts";

async function writeAll(
  pool: Pick<Pool, "query">,
  workspaceId: string,
  calls: readonly (Beginning | Ending)[],
): Promise<Admission[]> {
  const endings = calls.filter((call) => call.kind === "ended");
  const beginnings = calls.filter((call) => call.kind === "begins");
  const claimed = beginnings.filter(({ claim }) => claim !== null);
  const admitted = [...claimed, ...beginnings.filter(({ claim }) => claim === null)];
  const parts = [
    endings.flatMap(({ settlement }) => settlement ?? []),
    endings.map(({ row }) => row),
    endings.map(({ entry }) => entry),
    claimed.map(({ claim }) => claim),
    admitted.map(({ row }) => row),
    admitted.map(({ entry }) => entry),
  ];
  try {
    const { rows } = await pool.query<{ verdicts: Admission[] | null }>(statement, [workspaceId, ...parts.map(toList)]);
    const verdicts = new Map(claimed.map((call, at) => [call, rows[0]?.verdicts?.[at]]));
    return calls.map((call) => (call.kind === "begins" ? verdicts.get(call) : undefined) ?? letThrough);
  } catch (thrown) {
    const [only] = calls;
    // With others, each is written again by itself.
    if (calls.length === 1 && only?.kind === "begins" && isTakenOver(thrown)) throw runTakenOver(only.runId);
    throw thrown;
  }
}

/** Null for none, which the SQL passes over. */
function toList(items: readonly unknown[]): string | null {
  return items.length === 0 ? null : JSON.stringify(items);
}

function isTakenOver(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as { readonly code?: unknown }).code === "SLT01";
}
