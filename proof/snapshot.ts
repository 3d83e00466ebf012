import type { Database } from "./database.ts";

/** All rows of runs in all tables that an execution writes, by what they are. */
export type Snapshot = ReadonlyMap<string, string>;

/** Each with the columns that name a row, after the run. Live events are told by their number. */
const tables = [
  { table: "sluice.runs", run: "id", key: "''" },
  { table: "sluice.steps", run: "run_id", key: "path" },
  { table: "sluice.effects", run: "run_id", key: "key" },
  { table: "sluice.ai_calls", run: "run_id", key: "id" },
  { table: "sluice.changes", run: "run_id", key: "topic || '/' || id::text" },
  { table: "sluice_engine.workflow_status", run: "workflow_uuid", key: "''" },
  { table: "sluice_engine.operation_outputs", run: "workflow_uuid", key: "function_id::text" },
] as const;

/** Reads everything that is recorded of runs. */
export async function takeSnapshot({ query }: Database, runIds: readonly string[]): Promise<Snapshot> {
  const rows = new Map<string, string>();
  for (const { table, run, key } of tables) {
    const found = await query<{ name: string; row: string }>(
      `select ${run} || ' ' || ${key} as name, to_jsonb(item)::text as row from ${table} item where ${run} = any($1)`,
      [runIds],
    );
    for (const { name, row } of found) rows.set(`${table} ${name}`.trimEnd(), row);
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
