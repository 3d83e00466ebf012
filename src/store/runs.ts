import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import type { Parking, RunOutcome, RunWriter } from "./run-changes.ts";
import { channels } from "./processes.ts";
import { maxPageSize, type Page, query, type Scope, toPage, survey } from "./scope.ts";
import { rootOfPath } from "./steps.ts";
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
  /** Path of the step that failed the run; null when the flow's own code did. */
  readonly failedStep: string | null;
  /** The same for failures of one kind; null for a run that has not failed. */
  readonly fingerprint: string | null;
  /** The run that started this one as a sub-flow, and the path of the step that did; null when a trigger did. */
  readonly parentRunId: string | null;
  readonly parentPath: string | null;
  /** Numbers of the steps from which migrations let it go on anew. */
  readonly cuts: readonly number[];
  /** 0 interactive, 1 standard, 2 batch. */
  readonly priority: number;
  /** When a parked run goes on by itself. */
  readonly wakeAt: Date | null;
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

/** Runs that failed in the same way: the same flow, step, code and message, numbers and names apart. */
export interface FailureGroup {
  readonly fingerprint: string;
  readonly flow: string;
  /** Name of the step that failed; null when the flow's own code did. */
  readonly step: string | null;
  readonly status: "failed" | "in_doubt";
  /** Of the latest run. */
  readonly error: Json;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** The latest run. */
  readonly runId: string;
}

/** Which runs to list. */
export interface RunFilter {
  readonly flow?: string | undefined;
  readonly status?: readonly RunStatus[] | undefined;
  /** Only failures of one kind. */
  readonly fingerprint?: string | undefined;
  /** Only sub-flows of one run. */
  readonly parent?: string | undefined;
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

/** Runs of one workspace. */
export function createRunStore(scope: Scope, write: RunWriter) {
  return { ...createRunQueries(scope), ...createRunFigures(scope), ...createRunChanges(scope, write) };
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
          .$if(filter.fingerprint !== undefined, (q) => q.where("runs.fingerprint", "=", filter.fingerprint ?? ""))
          .$if(filter.parent !== undefined, (q) => q.where("runs.parentRunId", "=", filter.parent ?? ""))
          .$if(filter.before !== undefined, (q) => q.where("runs.id", "<", filter.before ?? ""))
          .orderBy("runs.id", "desc")
          .limit(limit + 1)
          .execute();
        return toPage(rows, limit);
      }),

    /** The sub-flow that a step started; null when it did not. */
    ofStep: (parentRunId: string, parentPath: string): Promise<RunRecord | null> =>
      query(
        async () =>
          (await own()
            .where("runs.parentRunId", "=", parentRunId)
            .where("runs.parentPath", "=", parentPath)
            .orderBy("runs.id", "desc")
            .executeTakeFirst()) ?? null,
      ),

    /** Sub-flows of a run that have not ended, which began with it: those that were started without waiting live on. */
    unfinishedChildren: (parentRunId: string): Promise<string[]> =>
      query(async () => {
        const rows = await db
          .selectFrom("runs")
          .innerJoin("steps", (join) =>
            join
              .onRef("steps.workspaceId", "=", "runs.workspaceId")
              .onRef("steps.runId", "=", "runs.parentRunId")
              .onRef("steps.path", "=", "runs.parentPath"),
          )
          .select("runs.id")
          .where("runs.workspaceId", "=", workspaceId)
          .where("runs.parentRunId", "=", parentRunId)
          .where("runs.finishedAt", "is", null)
          // A step that began a run without waiting for it has succeeded.
          .where("steps.status", "!=", "succeeded")
          .execute();
        return rows.map((row) => row.id);
      }),
  };
}

/** Runs taken together. */
function createRunFigures({ db, workspaceId }: Scope) {
  return {
    /** Failures of one kind together, the latest first. */
    failures: (limit: number): Promise<FailureGroup[]> => query(() => groupFailures({ db, workspaceId }, sql``, limit)),

    /** The failures of one kind; null when there are none any more. */
    failuresOf: (fingerprint: string): Promise<FailureGroup | null> =>
      query(async () => {
        const [group] = await groupFailures({ db, workspaceId }, sql`and fingerprint = ${fingerprint}`, 1);
        return group ?? null;
      }),

    /** Figures of each flow that has runs. */
    figures: (): Promise<FlowFigures[]> =>
      survey(db, async (open) => {
        const { rows } = await sql<FlowFigures>`
          select flow, json_object_agg(status, count) as counts, max(last_run_at) as last_run_at,
            (select percentile_cont(0.5) within group (order by extract(epoch from finished_at - queued_at) * 1000)
             from sluice.runs where workspace_id = ${workspaceId} and runs.flow = grouped.flow
               and finished_at > now() - interval '1 day') as median_ms
          from (select flow, status, count(*), max(queued_at) as last_run_at from sluice.runs
                where workspace_id = ${workspaceId} group by flow, status) as grouped
          group by flow order by flow`.execute(open);
        return rows;
      }),

    /** How many runs were accepted since a time, by flow and state, and the repeats of their deliveries. */
    countsSince: (since: Date): Promise<{ flow: string; status: RunStatus; count: number; duplicates: number }[]> =>
      survey(db, async (open) => {
        const { rows } = await sql<{ flow: string; status: RunStatus; count: number; duplicates: number }>`
          select runs.flow, status, count(*), sum(duplicates)::bigint as duplicates from sluice.runs
          join sluice.events on events.workspace_id = runs.workspace_id and events.id = runs.event_id
          where runs.workspace_id = ${workspaceId} and queued_at >= ${since} group by runs.flow, status`.execute(open);
        return rows;
      }),
  };
}

async function groupFailures(
  { db, workspaceId }: Scope,
  which: ReturnType<typeof sql>,
  limit: number,
): Promise<FailureGroup[]> {
  const { rows } = await sql<FailureGroup>`
    select grouped.*, run.flow, run.error, run.status, step.name as step
    from (select fingerprint, count(*), min(finished_at) as first_at, max(finished_at) as last_at, max(id) as run_id
          from sluice.runs where workspace_id = ${workspaceId} and fingerprint is not null
            and status in ('failed', 'in_doubt') ${which}
          group by fingerprint) as grouped
    join sluice.runs as run on run.workspace_id = ${workspaceId} and run.id = grouped.run_id
    left join sluice.steps as step on step.workspace_id = ${workspaceId} and step.run_id = run.id
      and step.path = run.failed_step
    order by last_at desc limit ${limit}`.execute(db);
  return rows;
}

function createRunChanges({ db, workspaceId }: Scope, write: RunWriter) {
  const change = { workspaceId, outcome: null, parking: null, parentRunId: null };
  return {
    /** Sets the state of an unfinished run, and forgets where it was to be resumed. False when the epoch is not its own any more. */
    setStatus: (id: string, status: "running" | "waiting", epoch: number): Promise<boolean> =>
      write({ ...change, id, status, epoch, at: new Date() }),

    /**
     * Gives a waiting run up until its time or a signal comes; nothing of it need stay in memory. Queues it at once when a
     * signal has come that its execution has not seen.
     */
    park: (id: string, parking: Parking, epoch: number): Promise<boolean> =>
      write({ ...change, id, status: "waiting", parking, epoch, at: new Date() }),

    /**
     * Ends an unfinished run, and lets the run go on that waits for it. False when it had ended already, for the first
     * outcome stands, or when the execution that says so is not the run's own any more.
     */
    finish: (
      id: string,
      outcome: RunOutcome,
      { epoch, parentRunId }: { readonly epoch: number | null; readonly parentRunId: string | null },
    ): Promise<boolean> =>
      write({ ...change, id, status: outcome.status, outcome, epoch, parentRunId, at: new Date() }),

    /**
     * Makes an ended run unfinished again and queues it to be resumed; `failedStep` stays until it goes on. False when it
     * had not ended, or another caller was first.
     *
     * @param from another step of the flow's own to go on from; what is recorded from it on is forgotten and done anew, as
     *   other calls with other keys.
     */
    reopen: (id: string, from: number | null = null): Promise<boolean> =>
      query(async () => {
        const which = sql`id = ${id} and status in ('failed', 'cancelled', 'in_doubt') for update`;
        return (await reopenRuns({ db, workspaceId }, which, from)).length === 1;
      }),

    /**
     * The same for failures of one kind, the newest first, each at most once. One that somebody else is just resuming is
     * left to them. Gives how many.
     *
     * @param runIds only these of the group; null: all.
     */
    reopenGroup: async (fingerprint: string, runIds: readonly string[] | null, limit: number): Promise<number> => {
      let count = 0;
      let before: string | null = null;
      while (count < limit) {
        const which = sql`fingerprint = ${fingerprint} and status in ('failed', 'in_doubt')
          and (${runIds}::text[] is null or id = any(${runIds}::text[])) and (${before}::text is null or id < ${before}::text)
          order by id desc limit ${Math.min(reopenPage, limit - count)} for update skip locked`;
        const ids: string[] = await query(() => reopenRuns({ db, workspaceId }, which, null));
        if (ids.length === 0) break;
        count += ids.length;
        before = ids.reduce((least, id) => (id < least ? id : least));
      }
      return count;
    },

    /** Lets parked runs of a flow go on whose code was another one, so that those show that do not fit it any more. Gives how many. */
    recheck: (flow: string, version: string): Promise<number> =>
      query(async () => {
        const { numAffectedRows } = await sql`
          update sluice.runs set status = 'queued', wake_at = null
          where workspace_id = ${workspaceId} and flow = ${flow} and status = 'waiting' and executor is null
            and flow_version <> ${version}`.execute(db);
        return Number(numAffectedRows ?? 0);
      }),
  };
}

/** Most runs that one statement reopens. */
const reopenPage = 500;

/** Queues ended runs, and lets processes look for them at once. Gives their ids. */
export async function reopenRuns(
  { db, workspaceId }: Scope,
  which: ReturnType<typeof sql>,
  from: number | null,
): Promise<string[]> {
  const anew = from === null ? sql`` : sql`, failed_step = ${String(from)}, cuts = cuts || ${from}::integer`;
  const { rows } = await sql<{ id: string }>`
    with chosen as materialized (
      select id from sluice.runs where workspace_id = ${workspaceId} and ${which}
    ), reopened as (
      update sluice.runs as run set status = 'queued', executor = null, suspicion = 0, blames = 0, resumes = resumes + 1,
        epoch = epoch + 1, output = null, error = null, fingerprint = null, finished_at = null${anew}
      from chosen where run.workspace_id = ${workspaceId} and run.id = chosen.id
      returning run.workspace_id, run.id, run.flow, run.sandbox
    ), ${from === null ? sql`` : dropSteps(from)} told as (
      insert into sluice.changes (workspace_id, topic, run_id, data)
      select workspace_id, 'run.queued', id, json_build_object('flow', flow) from reopened
    ), woken as (
      select pg_notify(case when sandbox then ${channels.sandbox} else ${channels.real} end, '')
      from (select distinct sandbox from reopened) as kinds
    )
    select id, (select count(*) from woken) from reopened`.execute(db);
  return rows.map((row) => row.id);
}

const dropSteps = (from: number) => sql`
  dropped as (
    delete from sluice.steps using reopened
    where steps.workspace_id = reopened.workspace_id and run_id = id and ${rootOfPath} >= ${from}
  ),`;
