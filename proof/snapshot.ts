import type { Database } from "./database.ts";

/** All rows of runs in the tables that an execution writes, by what they are. */
export type Snapshot = ReadonlyMap<string, string>;

/**
 * Each with the columns that name a row, after the run, and what is compared of it. Live events are told by their number.
 * Of an AI call it is only that there is one: an execution that has lost its run did ask the model, and what that cost is
 * still to be recorded.
 */
const tables = [
  { table: "sluice.runs", run: "id", key: "''", row: "to_jsonb(item)" },
  { table: "sluice.steps", run: "run_id", key: "path", row: "to_jsonb(item)" },
  { table: "sluice.effects", run: "run_id", key: "key", row: "to_jsonb(item)" },
  { table: "sluice.ai_calls", run: "run_id", key: "id", row: "jsonb_build_object('id', id)" },
  { table: "sluice.changes", run: "run_id", key: "topic || '/' || id::text", row: "to_jsonb(item)" },
  { table: "sluice_engine.workflow_status", run: "workflow_uuid", key: "''", row: "to_jsonb(item)" },
  { table: "sluice_engine.operation_outputs", run: "workflow_uuid", key: "function_id::text", row: "to_jsonb(item)" },
] as const;

/** Reads everything that is recorded of runs. */
export async function takeSnapshot({ query }: Database, runIds: readonly string[]): Promise<Snapshot> {
  const rows = new Map<string, string>();
  for (const { table, run, key, row } of tables) {
    const found = await query<{ name: string; row: string }>(
      `select ${run} || ' ' || ${key} as name, (${row})::text as row from ${table} item where ${run} = any($1)`,
      [runIds],
    );
    for (const item of found) rows.set(`${table} ${item.name}`.trimEnd(), item.row);
  }
  return rows;
}

/** The rows that were added, changed or removed between two looks, as sentences. */
export function compareSnapshots(before: Snapshot, after: Snapshot): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) return [];
    if (old === undefined) return [`${name} was added`];
    return [now === undefined ? `${name} was removed` : `${name} was changed: ${changedColumns(old, now).join(", ")}`];
  });
}

function changedColumns(old: string, now: string): string[] {
  const [before, after] = [JSON.parse(old), JSON.parse(now)] as { readonly [column: string]: unknown }[];
  return Object.keys({ ...before, ...after }).filter(
    (column) => JSON.stringify(before?.[column]) !== JSON.stringify(after?.[column]),
  );
}
