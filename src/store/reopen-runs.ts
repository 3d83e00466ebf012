import { sql } from "kysely";
import { channels } from "./processes.ts";
import type { Scope } from "./scope.ts";
import { rootOfPath } from "./steps.ts";

/** Queues ended runs, and lets processes look for them at once. Gives their ids. */
export async function reopenRuns(
  { db, workspaceId }: Pick<Scope, "db" | "workspaceId">,
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
