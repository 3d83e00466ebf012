import { sql } from "kysely";
import { SluiceError } from "../core/index.ts";
import { type Database, query, type Scope } from "./scope.ts";

/** Where the engine beneath keeps its records, in the same database. */
export const engineSchema = "sluice_engine";

/** Tables there with rows of a run. @see DBOS' own `deleteWorkflows` */
const engineTables = ["operation_outputs", "workflow_input", "workflow_output", "workflow_status"] as const;

/** The content of the runs of one workspace: what they were given, did and gave. */
export function createContentStore({ db, workspaceId, keys }: Scope) {
  return {
    /**
     * Erases the content of ended runs for good: the key of each, and all that it sealed. That they were, with states, times
     * and digests, stays. All or none; harmless when done twice. Gives how many there are of these runs.
     *
     * @throws SUBJECT_BUSY when some have not ended.
     */
    erase: (runIds: readonly string[]): Promise<number> =>
      query(async () => {
        const erased = await db.transaction().execute(async (transaction) => {
          const found = await lock(transaction, workspaceId, runIds);
          refuseUnfinished(found.filter(({ ended }) => !ended).length);
          const ids = found.map(({ id }) => id);
          for (const statement of erasing(workspaceId, ids)) await statement.execute(transaction);
          await eraseBeneath(transaction, ids);
          return ids;
        });
        for (const runId of erased) keys.forget({ workspaceId, runId });
        return erased.length;
      }),
  };
}

/** Nobody resumes them meanwhile. Sorted, as all who lock several runs do. */
async function lock(db: Database, workspaceId: string, runIds: readonly string[]) {
  const { rows } = await sql<{ id: string; ended: boolean }>`
    select id, finished_at is not null as ended from sluice.runs
    where workspace_id = ${workspaceId} and id = any(${runIds}) order by id for update`.execute(db);
  return rows;
}

function refuseUnfinished(count: number): void {
  if (count === 0) return;
  throw new SluiceError("SUBJECT_BUSY", {
    message: `${count} of the runs to be erased ${count === 1 ? "has" : "have"} not ended`,
    hint: "Wait for them to end, or cancel them: sluice runs cancel RUN",
    details: { unfinished: count },
  });
}

/** The text of an error may quote what a flow worked on; its code does not. */
const withoutText = (error: string) =>
  sql.raw(`case when json_typeof(${error}) = 'object' then json_build_object('code', ${error} -> 'code',
    'message', 'erased with the content of the run', 'retryable', ${error} -> 'retryable') end`);

function erasing(workspaceId: string, ids: readonly string[]) {
  const ofRun = sql`workspace_id = ${workspaceId} and run_id = any(${ids})`;
  return [
    sql`update sluice.events set content_key = null, payload = 'null', erased_at = coalesce(erased_at, now())
      from sluice.runs as run where events.workspace_id = ${workspaceId} and events.id = run.event_id
        and run.workspace_id = ${workspaceId} and run.id = any(${ids})`,
    sql`update sluice.runs set output = null, error = ${withoutText("error")}
      where workspace_id = ${workspaceId} and id = any(${ids})`,
    sql`update sluice.steps set input = null, output = null, error = ${withoutText("error")},
      attempts = (select coalesce(json_agg(json_build_object('number', attempt -> 'number', 'startedAt', attempt -> 'startedAt',
        'finishedAt', attempt -> 'finishedAt', 'error', ${withoutText("(attempt -> 'error')")})), '[]')
        from json_array_elements(attempts) as attempt)
      where ${ofRun}`,
    sql`update sluice.effects set request = 'null', response = null where ${ofRun}`,
    sql`update sluice.signals set value = 'null' where ${ofRun}`,
    sql`update sluice.ai_calls set request = 'null', response = null, error = ${withoutText("error")} where ${ofRun}`,
    sql`delete from sluice.vaults where ${ofRun}`,
    // One that was not sent yet is not to be sent any more; the answer of one that was is for nobody.
    sql`delete from sluice.batch_items where ${ofRun}`,
  ];
}

/** The engine beneath has no records before it was started for the first time. */
async function eraseBeneath(db: Database, ids: readonly string[]): Promise<void> {
  const { rows } = await sql<{ exists: boolean }>`
    select to_regclass(${`${engineSchema}.workflow_status`}) is not null as exists`.execute(db);
  if (!rows[0]?.exists) return;
  for (const table of engineTables) {
    await sql`delete from ${sql.id(engineSchema, table)} where workflow_uuid = any(${ids})`.execute(db);
  }
}
