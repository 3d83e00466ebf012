import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import { queueWhenParked } from "./run-changes.ts";
import { query, type Scope } from "./scope.ts";
import { openContent, sealKept } from "./sealed.ts";

const placeOf = (runId: string, name: string): string => `${runId}/signals.value/${name}`;

/** Signals to waiting runs of one workspace. */
export function createSignalStore({ db, workspaceId, keys }: Scope) {
  return {
    /**
     * Stores a signal, and queues the run when it is parked. False when the run has one of that name already: the first
     * stands. The row of the run is locked first, so that a run that is being parked cannot miss it.
     */
    send: (runId: string, name: string, value: Json): Promise<boolean> =>
      query(async () => {
        const sealed = sealKept(await keys.toWrite({ workspaceId, runId }), value, placeOf(runId, name)) ?? "null";
        return db.transaction().execute(async (transaction) => {
          await sql`select 1 from sluice.runs where workspace_id = ${workspaceId} and id = ${runId} for update`.execute(
            transaction,
          );
          const { numAffectedRows } = await sql`
            insert into sluice.signals (workspace_id, run_id, name, value)
            values (${workspaceId}, ${runId}, ${name}, ${sealed}::json) on conflict do nothing`.execute(transaction);
          if (numAffectedRows !== 1n) return false;
          await sql`
            with woken as (
              update sluice.runs as run set signals = run.signals + 1, ${queueWhenParked}
              where run.workspace_id = ${workspaceId} and run.id = ${runId} returning run.flow, run.status
            )
            insert into sluice.changes (workspace_id, topic, run_id, data)
            select ${workspaceId}, 'run.' || status, ${runId}, json_build_object('flow', flow) from woken where status = 'queued'`.execute(
            transaction,
          );
          return true;
        });
      }),

    /** Forgets a signal that the run cannot use, so that another one of that name may come. */
    drop: (runId: string, name: string): Promise<void> =>
      query(async () => {
        await db
          .deleteFrom("signals")
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", runId)
          .where("name", "=", name)
          .execute();
      }),

    /** How many values from outside have come for a run, ends of its sub-flows included. */
    count: (runId: string): Promise<number> =>
      query(async () => {
        const row = await db
          .selectFrom("runs")
          .select("signals")
          .where("workspaceId", "=", workspaceId)
          .where("id", "=", runId)
          .executeTakeFirst();
        return row?.signals ?? 0;
      }),

    /** The value of a signal; null when none came yet. With how many signals the run has had by then. */
    find: (
      runId: string,
      name: string,
    ): Promise<{ readonly value: { readonly of: Json } | null; readonly count: number }> =>
      query(async () => {
        const { rows } = await sql<{ found: boolean; value: Json; count: number }>`
          select signal.name is not null as found, signal.value, run.signals as count from sluice.runs as run
          left join sluice.signals as signal
            on signal.workspace_id = run.workspace_id and signal.run_id = run.id and signal.name = ${name}
          where run.workspace_id = ${workspaceId} and run.id = ${runId}`.execute(db);
        const [row] = rows;
        if (!row?.found) return { value: null, count: row?.count ?? 0 };
        const key = await keys.toRead({ workspaceId, runId });
        return { value: { of: openContent(key, row.value, placeOf(runId, name)) }, count: row.count };
      }),
  };
}
