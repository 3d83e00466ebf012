import { sql } from "kysely";
import type { Json, SluiceErrorJson, StepKind, StepPath, WaitReason } from "../core/index.ts";
import { createBatch } from "./batch.ts";
import type { ContentKey } from "./content-keys.ts";
import type { RunKeys } from "./run-keys.ts";
import { type Database, query, type Scope, toText } from "./scope.ts";
import { openContent, sealKept } from "./sealed.ts";
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
  readonly path: StepPath;
  readonly name: string;
  readonly kind: StepKind;
  readonly status: StepStatus;
  readonly attempts: readonly AttemptRecord[];
  /** When a waiting step goes on by itself. */
  readonly wakeAt: Date | null;
  /** Why it waits, where neither its kind nor a failed try tells. */
  readonly waitReason: WaitReason | null;
  readonly input: Json;
  readonly output: Json;
  readonly error: Json;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

interface Row extends StepRecord {
  readonly workspaceId: string;
  /** The execution that writes. */
  readonly epoch: number;
}

/** Writes a step. False when another execution took the place of the one that says so: then nothing was written. */
export type StepWriter = (row: Row) => Promise<boolean>;

/** Writes steps of all workspaces in the order they come, sharing commits. */
export function createStepWriter(db: Database, keys: RunKeys): StepWriter {
  return createBatch<Row, boolean>({ inFlight: 1, limit: 200, flush: (rows) => query(() => upsert(db, keys, rows)) });
}

const placeOf = (column: "input" | "output", { runId, path }: Pick<Row, "runId" | "path">): string =>
  `${runId}/steps.${column}/${path}`;

/** Of two executions that write the same step, only one is the run's own. */
const keyOf = ({ workspaceId, runId, path, epoch }: Pick<Row, "workspaceId" | "runId" | "path" | "epoch">): string =>
  `${workspaceId}/${runId}/${path}/${epoch}`;

async function upsert(db: Database, keys: RunKeys, rows: readonly Row[]): Promise<boolean[]> {
  // One statement cannot touch a row twice: the last state of a step stands for those before it.
  const last = new Map(rows.map((row) => [keyOf(row), row]));
  const texts = await Promise.all([...last.values()].map((row) => toTexts(row, keys)));
  const { rows: written } = await sql<Pick<Row, "workspaceId" | "runId" | "path" | "epoch">>`
    with step as (
      select row.* from json_to_recordset(${JSON.stringify(texts)}::json) as row ("workspaceId" text, "runId" text,
        path text, epoch integer, name text, kind text, status text, attempts text, "wakeAt" timestamptz, "waitReason" text, input text,
        output text, error text, "startedAt" timestamptz, "finishedAt" timestamptz)
      join sluice.runs as run on run.workspace_id = "workspaceId" and run.id = "runId" and run.epoch = row.epoch
    ), told as (
      insert into sluice.changes (workspace_id, topic, run_id, data)
      select "workspaceId", 'step.' || status, "runId", json_build_object('path', path, 'name', name, 'kind', kind,
        'attempt', json_array_length(attempts::json)) from step
    ), stored as (
      insert into sluice.steps (workspace_id, run_id, path, name, kind, status, attempts, wake_at, wait_reason, input, output,
        error, started_at, finished_at)
      select "workspaceId", "runId", path, name, kind, status, attempts::json, "wakeAt", "waitReason", input::json, output::json,
        error::json, "startedAt", "finishedAt" from step
      on conflict (workspace_id, run_id, path) do update set name = excluded.name, kind = excluded.kind,
        status = excluded.status, attempts = excluded.attempts, wake_at = excluded.wake_at,
        wait_reason = excluded.wait_reason, input = excluded.input,
        output = excluded.output, error = excluded.error, started_at = excluded.started_at,
        finished_at = excluded.finished_at
    )
    select "workspaceId" as workspace_id, "runId" as run_id, path, epoch from step`.execute(db);
  const done = new Set(written.map(keyOf));
  return rows.map((row) => done.has(keyOf(row)));
}

async function toTexts(row: Row, keys: RunKeys) {
  const { input, output } = row;
  const key = input === null && output === null ? null : await keys.toWrite(row);
  return {
    ...row,
    attempts: JSON.stringify(row.attempts),
    input: sealKept(key, input, placeOf("input", row)),
    output: sealKept(key, output, placeOf("output", row)),
    error: toText(row.error),
  };
}

type StoredStep = { readonly attempts: Json } & Omit<StepRecord, "attempts">;

function toRecord({ attempts, ...row }: StoredStep, key: ContentKey | null): StepRecord {
  return {
    ...row,
    attempts: attempts as unknown as AttemptRecord[],
    input: openContent(key, row.input, placeOf("input", row)),
    output: openContent(key, row.output, placeOf("output", row)),
  };
}

/** Paths in the order of calls: `3` before `3.0`, `9` before `10`. */
const inOrder = sql`string_to_array(path, '.')::integer[]`;

/** Number of the step that the flow itself called. */
export const rootOfPath = sql<number>`split_part(path, '.', 1)::integer`;

/** Steps of one workspace. */
export function createStepStore({ db, workspaceId, keys }: Scope, write: StepWriter) {
  return {
    /**
     * Writes the state of a step over what stood before. Writes of one process keep their order. False when the run has
     * another execution than this one.
     */
    save: (step: StepRecord, epoch: number): Promise<boolean> => write({ ...step, workspaceId, epoch }),

    /** All steps of a run in the order of their calls. */
    ofRun: (runId: string): Promise<StepRecord[]> =>
      query(async () => {
        const rows = await db
          .selectFrom("steps")
          .selectAll()
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", runId)
          .orderBy(inOrder)
          .execute();
        const key = rows.length === 0 ? null : await keys.toRead({ workspaceId, runId });
        return rows.map((row) => toRecord(row, key));
      }),

    /** Those steps of many runs that succeeded, for a preview of resuming them. */
    succeededOf: (runIds: readonly string[]): Promise<Pick<StepRecord, "runId" | "path" | "status">[]> =>
      query(() =>
        db
          .selectFrom("steps")
          .select(["runId", "path", "status"])
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", sql<string>`any(${runIds})`)
          .where("status", "=", "succeeded")
          .execute(),
      ),

    /**
     * Prepares steps to be done again: forgets those after one of the flow's own, and reopens what failed in it. Changes
     * nothing when the run has another execution than this one.
     */
    reopenFrom: (runId: string, from: number, epoch: number): Promise<void> =>
      query(async () => {
        await sql`
          with own as (
            select run.workspace_id, run.id as run_id from sluice.runs as run
            where run.workspace_id = ${workspaceId} and run.id = ${runId} and run.epoch = ${epoch}
          ), dropped as (
            delete from sluice.steps as step using own
            where step.workspace_id = own.workspace_id and step.run_id = own.run_id and ${rootOfPath} > ${from}
          )
          update sluice.steps as step set status = 'reopened' from own
          where step.workspace_id = own.workspace_id and step.run_id = own.run_id and ${rootOfPath} = ${from}
            and status = 'failed'`.execute(db);
      }),
  };
}
