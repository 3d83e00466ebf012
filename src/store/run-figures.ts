import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import { query, type Scope, survey } from "./scope.ts";
import type { RunStatus } from "./tables.ts";

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

/** How many runs a flow has in each state, and how long they took. */
export interface FlowFigures {
  readonly flow: string;
  readonly counts: { readonly [Status in RunStatus]?: number };
  /** Median of the last day's finished runs, from accepted to finished, in milliseconds; null when there are none. */
  readonly medianMs: number | null;
  readonly lastRunAt: Date | null;
}

/** Runs taken together. */
export function createRunFigures({ db, workspaceId }: Scope) {
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
  { db, workspaceId }: Pick<Scope, "db" | "workspaceId">,
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
