import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import { query, type Scope } from "./scope.ts";

/** Something that happened, for live pages. */
export interface ChangeRecord {
  /** Place in the order of changes, as `tx-id`, two whole numbers; what an event stream sends as its id. */
  readonly cursor: string;
  /** Noun and past verb or state, such as `run.succeeded`, `step.running`. */
  readonly topic: string;
  readonly runId: string | null;
  readonly data: Json;
  readonly at: Date;
}

/** What {@link createChangeStore}'s `after` gives. */
export interface ChangePage {
  /** The oldest first. */
  readonly changes: readonly ChangeRecord[];
  /** Where to go on from. */
  readonly cursor: string;
  /** True when the page is full: there may be more at once. */
  readonly more: boolean;
}

/** Most changes of one page. */
const pageSize = 500;

/** A reader with more to catch up on than this many changes is quicker to read everything again. */
const mostToCatchUp = 2000;

/** The largest `bigint` of Postgres; as the second part of a cursor it stands after every change of its transaction. */
const largestId = 9_223_372_036_854_775_807n;

/** Changes of one workspace, in the order of their transactions. */
export function createChangeStore({ db, workspaceId }: Scope) {
  return {
    /** The present end of the changes. */
    end: (): Promise<string> =>
      query(async () => {
        const { rows } = await sql<{ tx: string }>`
          select (pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 1)::text as tx`.execute(db);
        return `${rows[0]?.tx ?? "0"}-${largestId}`;
      }),

    /**
     * Changes after a place, at most 500. A row is given only when every older transaction has ended, so that none can
     * appear behind the cursor later. For a reader that reads on without a break, or whose place `canResume`.
     */
    after: (cursor: string): Promise<ChangePage> =>
      query(async () => {
        const [tx = "0", id = "0"] = cursor.split("-");
        const { rows } = await sql<ChangeRecord>`
          select tx::text || '-' || id as cursor, topic, run_id, data, at from sluice.changes
          where (tx, id) > (${tx}::xid8, ${id}::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot())
            and workspace_id = ${workspaceId}
          order by changes.tx, changes.id limit ${pageSize}`.execute(db);
        return { changes: rows, cursor: rows.at(-1)?.cursor ?? cursor, more: rows.length === pageSize };
      }),

    /**
     * Whether a reader that comes back can go on from its place. False, and it should read everything again, unless
     * - a change as old as the place is still kept: changes go the oldest first, and all at once in a crash, so then none after it went;
     * - the database has come as far: it was not replaced by another or by an older copy;
     * - at most 2,000 changes came since.
     *
     * A place that is no cursor gives false. The rule may refuse a place without need, as after a quiet hour; it never
     * accepts one that missed something.
     */
    canResume: async (cursor: string): Promise<boolean> => {
      const [, tx = "", id = ""] = /^(\d{1,19})-(\d{1,19})$/.exec(cursor) ?? [];
      if (tx === "" || BigInt(id) > largestId) return false;
      return query(async () => {
        const { rows } = await sql<{ resumable: boolean }>`
          select ${tx}::xid8 < pg_snapshot_xmax(pg_current_snapshot())
            and exists (select 1 from sluice.changes
              where workspace_id = ${workspaceId} and (tx, id) <= (${tx}::xid8, ${id}::bigint))
            and not exists (select 1 from sluice.changes
              where workspace_id = ${workspaceId} and (tx, id) > (${tx}::xid8, ${id}::bigint)
              offset ${mostToCatchUp}) as resumable`.execute(db);
        return rows[0]?.resumable ?? false;
      });
    },
  };
}
