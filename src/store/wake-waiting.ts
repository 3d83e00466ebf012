import { type RawBuilder, sql } from "kysely";
import type { WaitReason } from "../core/index.ts";
import { channels } from "./processes.ts";
import { queueWhenParked } from "./run-changes.ts";
import type { Database } from "./scope.ts";

/**
 * Lets the runs of all workspaces look again that wait for a reason, as if their time had come. Those for which nothing has
 * changed wait again. A run that is being parked meanwhile is queued in place of that, because it counts as having had a signal.
 */
export async function wakeWaitingFor(db: Database, reason: WaitReason): Promise<void> {
  await sql`
    with step as (
      update sluice.steps as step set wake_at = now() from sluice.runs as run
      where run.status in ('waiting', 'running') and step.workspace_id = run.workspace_id and step.run_id = run.id
        and step.status = 'waiting' and step.wait_reason = ${reason} and step.wake_at > now()
      returning step.workspace_id, step.run_id
    ), chosen as (
      select workspace_id, run_id from step
      union
      -- Any of those under way may just have been told to wait, and not have written so yet.
      select workspace_id, id from sluice.runs where status in ('waiting', 'running') and executor is not null
    ), ${wakeChosen}`.execute(db);
}

/** Lets runs look again for what they wait for: those that are parked now, those that are being parked in place of that. */
export async function wakeRuns(
  db: Database,
  runs: readonly { readonly workspaceId: string; readonly runId: string }[],
): Promise<void> {
  await sql`
    with chosen as (
      select distinct "workspaceId" as workspace_id, "runId" as run_id
      from json_to_recordset(${JSON.stringify(runs)}::json) as row ("workspaceId" text, "runId" text)
    ), ${wakeChosen}`.execute(db);
}

/** The rest of a statement that wakes the runs of a relation `chosen`. */
const wakeChosen: RawBuilder<unknown> = sql`
  woken as (
    update sluice.runs as run set signals = run.signals + 1, ${queueWhenParked}
    from chosen where run.workspace_id = chosen.workspace_id and run.id = chosen.run_id
    returning run.workspace_id, run.id, run.flow, run.status, run.sandbox
  ), told as (
    insert into sluice.changes (workspace_id, topic, run_id, data)
    select workspace_id, 'run.' || status, id, json_build_object('flow', flow) from woken where status = 'queued'
  )
  select pg_notify(case when sandbox then ${channels.sandbox} else ${channels.real} end, '')
  from (select distinct sandbox from woken) as kinds`;
