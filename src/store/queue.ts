import { sql } from "kysely";
import { lockIsHeld } from "./processes.ts";
import { query, type Scope, survey } from "./scope.ts";
import type { ProcessRole } from "./tables.ts";

/** The unfinished runs of a flow. */
export interface FlowQueue {
  readonly flow: string;
  readonly queued: number;
  readonly running: number;
  /** Waiting in the memory of a process. */
  readonly waiting: number;
  /** Waiting with nothing in memory. */
  readonly parked: number;
  readonly oldestQueuedAt: Date | null;
}

/** A process that has not ended. */
export interface ProcessRecord {
  readonly executor: string;
  readonly role: ProcessRole;
  readonly startedAt: Date;
  /** Whether somebody holds its lock. */
  readonly alive: boolean;
  /** Runs that it has under way. */
  readonly running: number;
}

/** What waits for room, and who executes: for people. Only runs and processes of one kind, sandbox or real. */
export function createQueueStore({ db, workspaceId }: Scope, sandbox: boolean) {
  return {
    /** Flows that have unfinished runs, by name. */
    byFlow: (): Promise<FlowQueue[]> =>
      survey(db, async (open) => {
        const { rows } = await sql<FlowQueue>`
          select flow, count(*) filter (where status = 'queued') as queued,
            count(*) filter (where status = 'running') as running,
            count(*) filter (where status = 'waiting' and executor is not null) as waiting,
            count(*) filter (where status = 'waiting' and executor is null) as parked,
            min(queued_at) filter (where status = 'queued') as oldest_queued_at
          from sluice.runs
          where workspace_id = ${workspaceId} and status in ('queued', 'running', 'waiting') and sandbox = ${sandbox}
          group by flow order by flow`.execute(open);
        return rows;
      }),

    /** Processes that have not ended, the newest first. */
    processes: (): Promise<ProcessRecord[]> =>
      query(async () => {
        const { rows } = await sql<ProcessRecord>`
          select executor, role, started_at, ${lockIsHeld} as alive,
            (select count(*) from sluice.runs where workspace_id = ${workspaceId} and runs.executor = processes.executor
              and status in ('running', 'waiting')) as running
          from sluice.processes where ended_at is null and sandbox = ${sandbox} order by started_at desc`.execute(db);
        return rows;
      }),
  };
}
