import { sql } from "kysely";
import type { ErrorCode, Json } from "../core/index.ts";
import { query, type Scope } from "./scope.ts";
import { openContent, sealContent } from "./sealed.ts";
import { createWorkspaceKey } from "./settings.ts";

/** A payload to try a flow with. */
export interface SampleRecord {
  readonly flow: string;
  readonly name: string;
  readonly payload: Json;
  readonly updatedAt: Date;
}

/** Refused deliveries of one source and reason on one day. */
export interface RefusalCount {
  readonly source: string;
  readonly code: string;
  /** ISO 8601 date, UTC. */
  readonly day: string;
  readonly count: number;
}

const samplePlace = (flow: string, name: string): string => `samples.payload/${flow}/${name}`;

/** Samples of one workspace. They belong to no run, and are sealed with a key of the workspace. */
export function createSampleStore({ db, workspaceId, keyring }: Scope) {
  const findKey = createWorkspaceKey(db, keyring, workspaceId);
  return {
    ofFlow: (flow: string): Promise<SampleRecord[]> =>
      query(async () => {
        const rows = await db
          .selectFrom("samples")
          .select(["flow", "name", "payload", "updatedAt"])
          .where("workspaceId", "=", workspaceId)
          .where("flow", "=", flow)
          .orderBy("name")
          .execute();
        if (rows.length === 0) return [];
        const key = await findKey();
        return rows.map((row) => ({ ...row, payload: openContent(key, row.payload, samplePlace(flow, row.name)) }));
      }),
    save: (flow: string, name: string, payload: Json): Promise<void> =>
      query(async () => {
        const text = sealContent(await findKey(), payload, samplePlace(flow, name));
        await db
          .insertInto("samples")
          .values({ workspaceId, flow, name, payload: text })
          .onConflict((conflict) =>
            conflict
              .columns(["workspaceId", "flow", "name"])
              .doUpdateSet({ payload: text, updatedAt: sql<Date>`now()` }),
          )
          .execute();
      }),
  };
}

/** Counters of refused deliveries of one workspace: the only trace that a refusal leaves. */
export function createRefusalStore({ db, workspaceId }: Scope) {
  return {
    count: (source: string, code: ErrorCode, times = 1): Promise<void> =>
      query(async () => {
        await sql`insert into sluice.refusals (workspace_id, source, code, day, count)
          values (${workspaceId}, ${source}, ${code}, (now() at time zone 'utc')::date, ${times})
          on conflict (workspace_id, source, code, day) do update set count = refusals.count + excluded.count`.execute(
          db,
        );
      }),
    /** Counters of the last days, the newest first. */
    list: (days: number): Promise<RefusalCount[]> =>
      query(async () => {
        const { rows } = await sql<RefusalCount>`
          select source, code, to_char(day, 'YYYY-MM-DD') as day, count from sluice.refusals
          where workspace_id = ${workspaceId} and day > (now() at time zone 'utc')::date - ${days}::integer
          order by day desc, count desc, source, code limit 1000`.execute(db);
        return rows;
      }),
  };
}
