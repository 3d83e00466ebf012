import type { SystemDatabase, SystemDatabaseStoredResult } from "@dbos-inc/dbos-sdk/internal/system_database";

/** A row of DBOS' table of runs. */
export type WorkflowStatus = Parameters<SystemDatabase["initWorkflowStatus"]>[0];

/** What is recorded for a run's operations, by number. Null: the database has to be asked. */
export type RecordedResults = Map<number, SystemDatabaseStoredResult | null>;

/** Most recorded results of one run, in bytes, that a replay holds in memory; those behind are read one by one. */
const heldResultsBytes = 256 * 1024;

/** One SQL statement for many items, given as a JSON array. */
export interface Statement<Item, Result> {
  readonly text: string;
  /** The result of each item, from the rows that came back. */
  readonly results: (items: readonly Item[], rows: readonly unknown[]) => Result[];
}

/** For statements that give the keys of what they wrote. Of items with one key, DBOS is to say which one it was. */
const areWritten =
  <Item>(keyOf: (item: Item) => string) =>
  (items: readonly Item[], rows: readonly unknown[]): boolean[] => {
    const written = new Set((rows as readonly { key: string }[]).map((row) => row.key));
    const byKey = Map.groupBy(items, keyOf);
    return items.map((item) => written.has(keyOf(item)) && byKey.get(keyOf(item))?.length === 1);
  };

/** A run to begin. */
export type Beginning = WorkflowStatus & { readonly ownerXid: string };

/** Sorted, because two statements that write the same rows in different orders would wait for each other. */
export const beginStatement = (schema: string): Statement<Beginning, boolean> => ({
  text: `
    with item as (
      select * from json_to_recordset($1::json) as item ("workflowUUID" text, "ownerXid" text, input text,
        "workflowName" text, "workflowClassName" text, "workflowConfigName" text, "authenticatedUser" text,
        "assumedRole" text, "authenticatedRoles" text, "executorId" text, "applicationVersion" text,
        "applicationID" text, priority integer, serialization text, "applicationName" text)
    ), begun as (
      insert into "${schema}".workflow_status (workflow_uuid, status, name, class_name, config_name, authenticated_user,
        assumed_role, authenticated_roles, executor_id, application_version, application_id, recovery_attempts, priority,
        serialization, creator_xid, owner_xid, is_debounced, application_name)
      select "workflowUUID", 'PENDING', "workflowName", nullif("workflowClassName", ''), nullif("workflowConfigName", ''),
        "authenticatedUser", "assumedRole", "authenticatedRoles", "executorId", "applicationVersion", "applicationID", 1,
        priority, serialization, "ownerXid", "ownerXid", false, "applicationName"
      from item order by "workflowUUID"
      on conflict (workflow_uuid) do nothing
      returning workflow_uuid, owner_xid
    ), stored as (
      insert into "${schema}".workflow_input (workflow_uuid, inputs)
      select "workflowUUID", input from item join begun on workflow_uuid = "workflowUUID" and owner_xid = "ownerXid"
      on conflict (workflow_uuid) do nothing
    )
    select owner_xid as key from begun`,
  results: areWritten((item) => item.ownerXid),
});

/** A result to record. */
export interface OperationRecord {
  readonly workflowId: string;
  readonly functionId: number;
  readonly functionName: string;
  readonly ownerXid: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly completedAt: number;
  readonly output?: string | null;
  readonly error?: string | null;
  readonly childWorkflowID?: string | null;
  readonly serialization?: string | null;
  readonly applicationName: string | undefined;
}

/** As in DBOS, a workflow's row stays locked until the commit, so that nobody takes the run over in between. */
export const recordStatement = (schema: string): Statement<OperationRecord, boolean> => ({
  text: `
    with item as (
      select * from json_to_recordset($1::json) as item ("workflowId" text, "functionId" integer, "functionName" text,
        "ownerXid" text, "startedAt" bigint, "completedAt" bigint, output text, error text, "childWorkflowID" text,
        serialization text, "applicationName" text)
    ), owned as (
      select workflow_uuid, owner_xid from "${schema}".workflow_status
      where workflow_uuid = any(array(select "workflowId" from item)) order by workflow_uuid for no key update
    )
    insert into "${schema}".operation_outputs (workflow_uuid, function_id, output, error, function_name,
      child_workflow_id, started_at_epoch_ms, completed_at_epoch_ms, serialization, application_name,
      retention_timestamp)
    select "workflowId", "functionId", output, error, "functionName", "childWorkflowID", "startedAt", "completedAt",
      serialization, "applicationName", (extract(epoch from now()) * 1000)::bigint
    from item join owned on workflow_uuid = "workflowId" and owner_xid = "ownerXid"
    order by "workflowId", "functionId"
    on conflict (workflow_uuid, function_id) do nothing
    returning workflow_uuid || '/' || function_id as key`,
  results: areWritten((item) => `${item.workflowId}/${item.functionId}`),
});

/** How a run ended. Runs that were claimed together have one owner. */
export interface Ending {
  readonly workflowId: string;
  readonly ownerXid: string;
  readonly status: "SUCCESS" | "ERROR";
  readonly output?: string | null;
  readonly error?: string | null;
}

/**
 * The workflows are found by their ids and not by the index of pending ones, which the planner takes for tiny and which
 * holds every ended one until it is vacuumed: a condition that does not match that index keeps it out.
 */
export const endStatement = (schema: string): Statement<Ending, boolean> => ({
  text: `
    with item as (
      select * from json_to_recordset($1::json) as item ("workflowId" text, "ownerXid" text, status text, output text,
        error text)
    ), ended as (
      update "${schema}".workflow_status as workflow set status = item.status, owner_xid = null, deduplication_id = null,
        updated_at = (extract(epoch from now()) * 1000)::bigint, completed_at = (extract(epoch from now()) * 1000)::bigint
      from item
      where workflow_uuid = any(array(select "workflowId" from item)) and workflow_uuid = "workflowId"
        and owner_xid = "ownerXid" and workflow.status || '' = 'PENDING'
      returning "workflowId", "ownerXid"
    ), stored as (
      insert into "${schema}".workflow_output (workflow_uuid, output, error)
      select "workflowId", output, error from item join ended using ("workflowId", "ownerXid")
      on conflict (workflow_uuid) do update set output = excluded.output, error = excluded.error
    )
    select "workflowId" || '/' || "ownerXid" as key from ended`,
  results: areWritten((item) => `${item.workflowId}/${item.ownerXid}`),
});

interface ResultRow {
  readonly workflowId: string;
  /** Null when nothing is recorded. */
  readonly functionId: number | null;
  readonly output: string | null;
  readonly error: string | null;
  readonly childWorkflowID: string | null;
  readonly functionName: string;
  readonly serialization: string | null;
  /** Whether it lies beyond what is held in memory. */
  readonly beyond: boolean;
}

/** Gives nothing for a workflow that is cancelled, has a deadline, or is gone: DBOS is asked each time. */
export const loadStatement = (schema: string): Statement<string, RecordedResults | null> => ({
  text: `
    with wanted as (
      select workflow_uuid from "${schema}".workflow_status
      where workflow_uuid = any(array(select json_array_elements_text($1::json)))
        and status = 'PENDING' and workflow_deadline_epoch_ms is null
    )
    select workflow_uuid as "workflowId", function_id as "functionId", case when not beyond then output end as output,
      case when not beyond then error end as error, child_workflow_id as "childWorkflowID",
      function_name as "functionName", serialization, beyond
    from wanted left join lateral (
      select *, sum(coalesce(octet_length(output), 0) + coalesce(octet_length(error), 0))
        over (order by function_id) > ${heldResultsBytes} as beyond
      from "${schema}".operation_outputs as recorded where recorded.workflow_uuid = wanted.workflow_uuid
    ) as operation using (workflow_uuid)`,
  results(items, rows) {
    const byWorkflow = Map.groupBy(rows as readonly ResultRow[], (row) => row.workflowId);
    return items.map((workflowId) => toResults(byWorkflow.get(workflowId)));
  },
});

function toResults(rows: readonly ResultRow[] | undefined): RecordedResults | null {
  if (rows === undefined) return null;
  const results: RecordedResults = new Map();
  for (const { workflowId: _, functionId, beyond, ...result } of rows) {
    if (functionId !== null) results.set(functionId, beyond ? null : result);
  }
  return results;
}
