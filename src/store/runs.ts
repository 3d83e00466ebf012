import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import { createBatch } from "./batch.ts";
import { type Database, maxPageSize, type Page, query, type Scope, toPage, toText } from "./scope.ts";
import type { RunStatus } from "./tables.ts";

/** One execution of a flow for one event. */
export interface RunRecord {
  readonly id: string;
  readonly flow: string;
  /** Digest of the flow's code when the run began; null while it is queued. */
  readonly flowVersion: string | null;
  readonly eventId: string;
  readonly status: RunStatus;
  /** The process that runs it, or ran it last. */
  readonly executor: string | null;
  /** How often another process had to take it over. */
  readonly recoveries: number;
  /** How often a person resumed it. */
  readonly resumes: number;
  /** Whether it is executed against the sandbox's stand-ins. */
  readonly sandbox: boolean;
  readonly output: Json;
  readonly error: Json;
  /** Sequence of the step that failed the run; null when the flow's own code did. */
  readonly failedStep: number | null;
  readonly queuedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Whether a person sent its event to try the flow out. */
  readonly sample: boolean;
  /** Repeats of its delivery that were suppressed. */
  readonly duplicates: number;
  /** Whether the simulated model answered one of its AI calls. */
  readonly simulated: boolean;
}

/** How a run ended. */
export interface RunOutcome {
  readonly status: "succeeded" | "failed" | "cancelled" | "in_doubt";
  readonly output: Json;
  readonly error: Json;
  readonly failedStep: number | null;
}

/** A run that a process begins to execute. */
export interface BegunRun {
  readonly flow: string;
  readonly payload: Json;
  readonly recoveries: number;
  readonly resumes: number;
}

/** Which runs to list. */
export interface RunFilter {
  readonly flow?: string | undefined;
  readonly status?: readonly RunStatus[] | undefined;
  /** Only runs older than this id. */
  readonly before?: string | undefined;
  /** Default: 50, at most 200. */
  readonly limit?: number | undefined;
}

/** How many runs a flow has in each state, and how long they took. */
export interface FlowFigures {
  readonly flow: string;
  readonly counts: { readonly [Status in RunStatus]?: number };
  /** Median of the last day's finished runs, from accepted to finished, in milliseconds; null when there are none. */
  readonly medianMs: number | null;
  readonly lastRunAt: Date | null;
}

const unfinished = ["queued", "running", "waiting"] as const;

/** One execution of a run. What it writes after another took its place changes nothing. */
export interface ExecutionFence {
  readonly executor: string;
  /** How often the run had been resumed when this execution began. */
  readonly resumes: number;
}

interface StateChange {
  readonly workspaceId: string;
  readonly id: string;
  readonly status: RunStatus;
  readonly outcome: RunOutcome | null;
  /** Null: written by a person's decision, whatever executes the run. */
  readonly fence: ExecutionFence | null;
  readonly at: Date;
}

/** Writes state changes of runs of all workspaces, sharing commits. */
export function createRunWriter(db: Database): (change: StateChange) => Promise<boolean> {
  return createBatch<StateChange, boolean>({
    inFlight: 1,
    limit: 200,
    flush: (changes) => query(() => writeChanges(db, changes)),
  });
}

/** A later change of the same run in one flush replaces an earlier one. A finished run is not changed any more. */
async function writeChanges(db: Database, changes: readonly StateChange[]): Promise<boolean[]> {
  const last = new Map(changes.map((change) => [`${change.workspaceId}/${change.id}`, change]));
  const rows = [...last.values()].map(({ outcome, fence, ...change }) => ({
    ...change,
    ...fence,
    output: toText(outcome?.output),
    error: toText(outcome?.error),
    failedStep: outcome?.failedStep ?? null,
    finishedAt: outcome ? change.at : null,
  }));
  const { rows: written } = await sql<{ workspaceId: string; id: string }>`
    with change as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as row ("workspaceId" text, id text, status text,
        executor text, resumes integer, output text, error text, "failedStep" integer, "finishedAt" timestamptz)
    ), written as (
      update sluice.runs as run set status = change.status, output = change.output::json, error = change.error::json,
        failed_step = change."failedStep", finished_at = change."finishedAt"
      from change
      where run.workspace_id = change."workspaceId" and run.id = change.id
        and run.status in ('queued', 'running', 'waiting')
        and (change.executor is null or (run.executor = change.executor and run.resumes = change.resumes))
      returning run.workspace_id, run.id, run.flow, run.status
    ), told as (
      insert into sluice.changes (workspace_id, topic, run_id, data)
      select workspace_id, 'run.' || status, id, json_build_object('flow', flow) from written
    )
    select workspace_id, id from written`.execute(db);
  const done = new Set(written.map((row) => `${row.workspaceId}/${row.id}`));
  return changes.map((change) => done.has(`${change.workspaceId}/${change.id}`));
}

/** Runs of one workspace. */
export function createRunStore(scope: Scope, write: (change: StateChange) => Promise<boolean>) {
  return { ...createRunQueries(scope), ...createRunChanges(scope, write) };
}

function createRunQueries({ db, workspaceId }: Scope) {
  const own = () =>
    db
      .selectFrom("runs")
      .innerJoin("events", (join) =>
        join.onRef("events.workspaceId", "=", "runs.workspaceId").onRef("events.id", "=", "runs.eventId"),
      )
      .selectAll("runs")
      .select(["events.sample", "events.duplicates"])
      .select((eb) =>
        eb
          .exists(
            eb
              .selectFrom("aiCalls")
              .select("aiCalls.id")
              .whereRef("aiCalls.workspaceId", "=", "runs.workspaceId")
              .whereRef("aiCalls.runId", "=", "runs.id")
              .where("aiCalls.simulated", "=", true),
          )
          .$castTo<boolean>()
          .as("simulated"),
      )
      .where("runs.workspaceId", "=", workspaceId);

  return {
    find: (id: string): Promise<RunRecord | null> =>
      query(async () => (await own().where("runs.id", "=", id).executeTakeFirst()) ?? null),

    /** Runs, the newest first. */
    list: (filter: RunFilter): Promise<Page<RunRecord>> =>
      query(async () => {
        const limit = Math.min(Math.max(1, filter.limit ?? 50), maxPageSize);
        const rows = await own()
          .$if(filter.flow !== undefined, (q) => q.where("runs.flow", "=", filter.flow ?? ""))
          .$if(filter.status !== undefined, (q) => q.where("runs.status", "=", sql<RunStatus>`any(${filter.status})`))
          .$if(filter.before !== undefined, (q) => q.where("runs.id", "<", filter.before ?? ""))
          .orderBy("runs.id", "desc")
          .limit(limit + 1)
          .execute();
        return toPage(rows, limit);
      }),

    /** Figures of each flow that has runs. */
    figures: (): Promise<FlowFigures[]> =>
      query(async () => {
        const { rows } = await sql<FlowFigures>`
          select flow, json_object_agg(status, count) as counts, max(last_run_at) as last_run_at,
            (select percentile_cont(0.5) within group (order by extract(epoch from finished_at - queued_at) * 1000)
             from sluice.runs where workspace_id = ${workspaceId} and runs.flow = grouped.flow
               and finished_at > now() - interval '1 day') as median_ms
          from (select flow, status, count(*), max(queued_at) as last_run_at from sluice.runs
                where workspace_id = ${workspaceId} group by flow, status) as grouped
          group by flow order by flow`.execute(db);
        return rows;
      }),

    /** How many runs were accepted since a time, by flow and state, and the repeats of their deliveries. */
    countsSince: (since: Date): Promise<{ flow: string; status: RunStatus; count: number; duplicates: number }[]> =>
      query(async () => {
        const { rows } = await sql<{ flow: string; status: RunStatus; count: number; duplicates: number }>`
          select runs.flow, status, count(*), sum(duplicates)::bigint as duplicates from sluice.runs
          join sluice.events on events.workspace_id = runs.workspace_id and events.id = runs.event_id
          where runs.workspace_id = ${workspaceId} and queued_at >= ${since} group by runs.flow, status`.execute(db);
        return rows;
      }),
  };
}

function createRunChanges({ db, workspaceId }: Scope, write: (change: StateChange) => Promise<boolean>) {
  return {
    /**
     * Marks a run as begun by a process and gives its payload. A run that has ended meanwhile (cancelled while it was
     * queued) gives null.
     */
    begin: (id: string, executor: string, versions: { readonly [flow: string]: string }): Promise<BegunRun | null> =>
      query(async () => {
        const { rows } = await sql<BegunRun>`
          with begun as (
            update sluice.runs set status = 'running', executor = ${executor}, failed_step = null,
              flow_version = ${JSON.stringify(versions)}::json ->> flow, started_at = coalesce(started_at, now())
            where workspace_id = ${workspaceId} and id = ${id} and status in ('queued', 'running', 'waiting')
            returning workspace_id, id, event_id, flow, recoveries, resumes
          ), told as (
            insert into sluice.changes (workspace_id, topic, run_id, data)
            select workspace_id, 'run.running', id, json_build_object('flow', flow) from begun
          )
          select begun.flow, payload, recoveries, resumes from begun
          join sluice.events on events.workspace_id = begun.workspace_id and events.id = begun.event_id`.execute(db);
        return rows[0] ?? null;
      }),

    /** Sets the state of an unfinished run. False when it had ended, or another execution took over. */
    setStatus: (id: string, status: "running" | "waiting", fence: ExecutionFence): Promise<boolean> =>
      write({ workspaceId, id, status, outcome: null, fence, at: new Date() }),

    /**
     * Ends an unfinished run. False when it had ended already, for the first outcome stands, or when the execution that
     * says so is not the run's own any more.
     */
    finish: (id: string, outcome: RunOutcome, fence: ExecutionFence | null = null): Promise<boolean> =>
      write({ workspaceId, id, status: outcome.status, outcome, fence, at: new Date() }),

    /**
     * Makes an ended run unfinished again and queues it to be resumed; `failedStep` stays until it begins. False when it
     * had not ended, or another caller was first.
     */
    reopen: (id: string): Promise<boolean> =>
      query(async () => {
        const { rows } = await sql`
          with reopened as (
            update sluice.runs set status = 'queued', executor = null, recoveries = 0, resumes = resumes + 1,
              output = null, error = null, finished_at = null
            where workspace_id = ${workspaceId} and id = ${id} and status in ('failed', 'cancelled', 'in_doubt')
            returning workspace_id, id, flow
          ), told as (
            insert into sluice.changes (workspace_id, topic, run_id, data)
            select workspace_id, 'run.queued', id, json_build_object('flow', flow) from reopened
          )
          select 1 from reopened`.execute(db);
        return rows.length === 1;
      }),
  };
}

/** An unfinished run that a process took on. */
export interface ClaimedRun {
  readonly workspaceId: string;
  readonly id: string;
  /** How often a person resumed it; 0 for a run that is to begin. */
  readonly resumes: number;
  /** Where a resumed run goes on. */
  readonly failedStep: number | null;
}

/** What the engine needs of the runs of all workspaces. */
export function createDispatchStore(db: Database, sandbox: boolean) {
  return {
    /** Takes the oldest queued runs of this store's kind, sandbox or real, for a process. No two processes get the same one. */
    claim: (executor: string, limit: number): Promise<ClaimedRun[]> =>
      query(async () => {
        const { rows } = await sql<ClaimedRun>`
          update sluice.runs set status = 'running', executor = ${executor}, started_at = coalesce(started_at, now())
          where (workspace_id, id) in (
            select workspace_id, id from sluice.runs where status = 'queued' and executor is null and sandbox = ${sandbox}
            order by queued_at limit ${limit} for update skip locked)
          returning workspace_id, id, resumes, failed_step`.execute(db);
        return rows;
      }),

    /** Moves the unfinished runs of a dead process to a living one, and counts the takeover. */
    adopt: (dead: string, executor: string): Promise<ClaimedRun[]> =>
      query(() =>
        db
          .updateTable("runs")
          .set((eb) => ({ executor, recoveries: eb("recoveries", "+", 1) }))
          .where("executor", "=", dead)
          .where("status", "in", unfinished)
          .returning(["workspaceId", "id", "resumes", "failedStep"])
          .execute(),
      ),

    /** Those of the given runs that were cancelled. */
    cancelled: (ids: readonly string[]): Promise<string[]> =>
      query(async () => {
        const rows = await db
          .selectFrom("runs")
          .select("id")
          .where("id", "=", sql<string>`any(${ids})`)
          .where("status", "=", "cancelled")
          .execute();
        return rows.map((row) => row.id);
      }),

    /** How many runs wait for a process. */
    queued: (): Promise<number> =>
      query(async () => {
        const row = await db
          .selectFrom("runs")
          .select((eb) => eb.fn.countAll<number>().as("count"))
          .where("status", "=", "queued")
          .executeTakeFirstOrThrow();
        return row.count;
      }),
  };
}
