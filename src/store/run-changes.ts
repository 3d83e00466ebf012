import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import { createBatch } from "./batch.ts";
import type { RunKeys } from "./run-keys.ts";
import { type Database, query, toText } from "./scope.ts";
import { sealKept } from "./sealed.ts";
import type { RunStatus } from "./tables.ts";

/** How a run ended. */
export interface RunOutcome {
  readonly status: "succeeded" | "failed" | "cancelled" | "in_doubt";
  readonly output: Json;
  readonly error: Json;
  /** Path of the step that failed it; null when the flow's own code did. */
  readonly failedStep: string | null;
  /** The same for failures of one kind; null unless it failed. */
  readonly fingerprint: string | null;
}

/** What a run waits for when nothing of it stays in memory. */
export interface Parking {
  /** When it goes on by itself; null: only by a signal. */
  readonly wakeAt: Date | null;
  /** How many signals it has seen. When more have come, it is queued at once instead. */
  readonly signals: number;
}

/** A change of a run's state. */
export interface RunChange {
  readonly workspaceId: string;
  readonly id: string;
  readonly status: RunStatus;
  readonly outcome: RunOutcome | null;
  readonly parking: Parking | null;
  /** The execution that says so; null: written by a person's decision, whatever executes the run. */
  readonly epoch: number | null;
  /** The run that waits for this one's end. */
  readonly parentRunId: string | null;
  readonly at: Date;
}

/** Writes a change. False when the run had ended, or another execution took its place: then nothing was changed. */
export type RunWriter = (change: RunChange) => Promise<boolean>;

/** What a run's output is bound to. */
export const outputPlace = (runId: string): string => `${runId}/runs.output`;

/** A change with its output as the row has it. */
type Row = RunChange & { readonly output: string | null };

/** Writes state changes of runs of all workspaces, sharing commits. */
export function createRunWriter(db: Database, keys: RunKeys): RunWriter {
  return createBatch<RunChange, boolean>({
    inFlight: 1,
    limit: 200,
    // Sealed before the transaction begins: a key that has to be read needs a connection of its own.
    flush: (changes) =>
      query(async () => write(db, await Promise.all(changes.map((change) => withOutput(change, keys))))),
  });
}

async function withOutput(change: RunChange, keys: RunKeys): Promise<Row> {
  const { workspaceId, id, outcome } = change;
  const output = outcome?.output ?? null;
  const key = output === null ? null : await keys.toWrite({ workspaceId, runId: id });
  return { ...change, output: sealKept(key, output, outputPlace(id)) };
}

async function write(db: Database, changes: readonly Row[]): Promise<boolean[]> {
  const { rounds, places } = toRounds(changes);
  const wakes = changes.some(({ outcome, parentRunId }) => outcome !== null && parentRunId !== null);
  const writeAll = async (on: Database): Promise<ReadonlySet<string>[]> => {
    const written: ReadonlySet<string>[] = [];
    for (const round of rounds) written.push(await writeRound(on, [...round.values()]));
    return written;
  };
  const written = wakes || rounds.length > 1 ? await db.transaction().execute(writeAll) : await writeAll(db);
  return changes.map((change, at) => written[places[at] ?? 0]?.has(keyOf(change)) ?? false);
}

/**
 * Divides changes among statements, because one cannot touch a row twice. A later change of an execution replaces an earlier
 * one of the same run; what ended or parked the run, or came from somebody else, is written by itself: which of them counts
 * is told by the row.
 */
function toRounds(changes: readonly Row[]): { rounds: Map<string, Row>[]; places: number[] } {
  const rounds: Map<string, Row>[] = [];
  const places = changes.map((change) => {
    const key = keyOf(change);
    const latest = rounds.findLastIndex((round) => round.has(key));
    const before = rounds[latest]?.get(key);
    const place = before && isReplacedBy(before, change) ? latest : latest + 1;
    (rounds[place] ??= new Map()).set(key, change);
    return place;
  });
  return { rounds, places };
}

function isReplacedBy({ outcome, parking, epoch }: RunChange, later: RunChange): boolean {
  return outcome === null && parking === null && epoch === later.epoch;
}

async function writeRound(db: Database, changes: readonly Row[]): Promise<ReadonlySet<string>> {
  const written = await update(db, changes);
  const ended = changes.filter((change) => change.outcome !== null && written.has(keyOf(change)));
  const children = ended.filter(({ parentRunId }) => parentRunId !== null);
  if (children.length > 0) await wakeParents(db, children);
  return written;
}

const keyOf = ({ workspaceId, id }: { readonly workspaceId: string; readonly id: string }): string =>
  `${workspaceId}/${id}`;

async function update(db: Database, changes: readonly Row[]): Promise<ReadonlySet<string>> {
  const rows = changes.map(({ outcome, parking, parentRunId: _parent, ...change }) => ({
    ...change,
    error: toText(outcome?.error),
    failedStep: outcome?.failedStep ?? null,
    fingerprint: outcome?.fingerprint ?? null,
    finishedAt: outcome ? change.at : null,
    parks: parking !== null,
    ...parking,
  }));
  const { rows: written } = await sql<{ workspaceId: string; id: string }>`
    with change as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as row ("workspaceId" text, id text, status text,
        epoch integer, output text, error text, "failedStep" text, fingerprint text, "finishedAt" timestamptz,
        parks boolean, "wakeAt" timestamptz, signals integer)
    ), written as (
      update sluice.runs as run set
        status = case when parks and run.signals <> change.signals then 'queued' else change.status end,
        output = change.output::json, error = change.error::json, failed_step = change."failedStep",
        fingerprint = change.fingerprint, finished_at = change."finishedAt",
        executor = case when parks then null else run.executor end,
        epoch = run.epoch + parks::integer,
        wake_at = case when parks and run.signals = change.signals then change."wakeAt" end
      from change
      where run.workspace_id = change."workspaceId" and run.id = change.id
        and run.status in ('queued', 'running', 'waiting') and (change.epoch is null or run.epoch = change.epoch)
      returning run.workspace_id, run.id, run.flow, run.status
    ), told as (
      insert into sluice.changes (workspace_id, topic, run_id, data)
      select workspace_id, 'run.' || status, id, json_build_object('flow', flow) from written
    )
    select workspace_id, id from written`.execute(db);
  return new Set(written.map(keyOf));
}

/**
 * Lets the runs go on that wait for the end of these. A statement of its own, because a statement cannot change a row
 * twice, and a parent may be among the runs that were just changed.
 */
async function wakeParents(db: Database, children: readonly RunChange[]): Promise<void> {
  const rows = children.map(({ workspaceId, parentRunId }) => ({ workspaceId, id: parentRunId }));
  await sql`
    with parent as (
      select distinct "workspaceId", id from json_to_recordset(${JSON.stringify(rows)}::json) as row ("workspaceId" text, id text)
    ), woken as (
      update sluice.runs as run set signals = run.signals + 1, ${queueWhenParked}
      from parent where run.workspace_id = parent."workspaceId" and run.id = parent.id
      returning run.workspace_id, run.id, run.flow, run.status
    )
    insert into sluice.changes (workspace_id, topic, run_id, data)
    select workspace_id, 'run.' || status, id, json_build_object('flow', flow) from woken where status = 'queued'`.execute(
    db,
  );
}

/** Assignments that let a parked run go on, and leave any other as it is. */
export const queueWhenParked = sql`
  wake_at = case when run.status = 'waiting' and run.executor is null then null else run.wake_at end,
  status = case when run.status = 'waiting' and run.executor is null then 'queued' else run.status end`;
