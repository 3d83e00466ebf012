import { sql } from "kysely";
import type { Json, SluiceErrorJson, StepKind } from "../core/index.ts";
import { createBatch } from "./batch.ts";
import { type Database, query, type Scope, toText } from "./scope.ts";
import type { StepStatus } from "./tables.ts";

/** One try of a step. Times are ISO 8601. */
export interface AttemptRecord {
  readonly number: number;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly error: SluiceErrorJson | null;
}

/** A recorded piece of a run. */
export interface StepRecord {
  readonly runId: string;
  readonly sequence: number;
  readonly name: string;
  readonly kind: StepKind;
  readonly status: StepStatus;
  readonly attempts: readonly AttemptRecord[];
  /** When a waiting step goes on by itself. */
  readonly wakeAt: Date | null;
  readonly input: Json;
  readonly output: Json;
  readonly error: Json;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

interface Row extends StepRecord {
  readonly workspaceId: string;
}

/** Writes steps of all workspaces in the order they come, sharing commits. */
export function createStepWriter(db: Database): (row: Row) => Promise<void> {
  return createBatch<Row, void>({ inFlight: 1, limit: 200, flush: (rows) => query(() => upsert(db, rows)) });
}

async function upsert(db: Database, rows: readonly Row[]): Promise<void[]> {
  // One statement cannot touch a row twice: the last state of a step stands for those before it.
  const last = new Map(rows.map((row) => [`${row.workspaceId}/${row.runId}/${row.sequence}`, row]));
  const texts = [...last.values()].map((row) => ({
    ...row,
    attempts: JSON.stringify(row.attempts),
    input: toText(row.input),
    output: toText(row.output),
    error: toText(row.error),
  }));
  await sql`
    with step as (
      select * from json_to_recordset(${JSON.stringify(texts)}::json) as row ("workspaceId" text, "runId" text,
        sequence integer, name text, kind text, status text, attempts text, "wakeAt" timestamptz, input text,
        output text, error text, "startedAt" timestamptz, "finishedAt" timestamptz)
    ), told as (
      insert into sluice.changes (workspace_id, topic, run_id, data)
      select "workspaceId", 'step.' || status, "runId", json_build_object('sequence', sequence, 'name', name, 'kind', kind,
        'attempt', json_array_length(attempts::json)) from step
    )
    insert into sluice.steps (workspace_id, run_id, sequence, name, kind, status, attempts, wake_at, input, output, error,
      started_at, finished_at)
    select "workspaceId", "runId", sequence, name, kind, status, attempts::json, "wakeAt", input::json, output::json,
      error::json, "startedAt", "finishedAt" from step
    on conflict (workspace_id, run_id, sequence) do update set name = excluded.name, kind = excluded.kind,
      status = excluded.status, attempts = excluded.attempts, wake_at = excluded.wake_at, input = excluded.input,
      output = excluded.output, error = excluded.error, started_at = excluded.started_at,
      finished_at = excluded.finished_at`.execute(db);
  return rows.map(() => undefined);
}

function toRecord({ attempts, ...row }: { attempts: Json } & Omit<Row, "attempts">): StepRecord {
  return { ...row, attempts: attempts as unknown as AttemptRecord[] };
}

/** Steps of one workspace. */
export function createStepStore(scope: Scope, write: (row: Row) => Promise<void>) {
  const own = (runId: string) =>
    scope.db.selectFrom("steps").selectAll().where("workspaceId", "=", scope.workspaceId).where("runId", "=", runId);
  return {
    /** Writes the state of a step over what stood before. Writes of one process keep their order. */
    save: (step: StepRecord): Promise<void> => write({ ...step, workspaceId: scope.workspaceId }),

    find: (runId: string, sequence: number): Promise<StepRecord | null> =>
      query(async () => {
        const row = await own(runId).where("sequence", "=", sequence).executeTakeFirst();
        return row ? toRecord(row) : null;
      }),

    /** All steps of a run in the order of their calls. */
    ofRun: (runId: string): Promise<StepRecord[]> =>
      query(async () => (await own(runId).orderBy("sequence").execute()).map(toRecord)),

    /** Forgets a run's steps after one, before they are done again. */
    dropAfter: (runId: string, sequence: number): Promise<void> =>
      query(async () => {
        await scope.db
          .deleteFrom("steps")
          .where("workspaceId", "=", scope.workspaceId)
          .where("runId", "=", runId)
          .where("sequence", ">", sequence)
          .execute();
      }),
  };
}
