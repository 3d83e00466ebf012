import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import { query, type Scope } from "./scope.ts";

/** Something that happened, for live pages. */
export interface ChangeRecord {
  /** Place in the order of changes, as `tx-id`; what an event stream sends as its id. */
  readonly cursor: string;
  /** Noun and past verb or state, such as `run.succeeded`, `step.running`. */
  readonly topic: string;
  readonly runId: string | null;
  readonly data: Json;
  readonly at: Date;
}

/** What {@link createChangeStore}'s `after` gives. */
export interface ChangePage {
  readonly changes: readonly ChangeRecord[];
  /** Where to go on from. */
  readonly cursor: string;
  /** True when the place asked for is gone (cleaned up, or lost in a crash): the reader should read everything again. */
  readonly reset: boolean;
}

/** Changes of one workspace, in the order of their transactions. */
export function createChangeStore({ db, workspaceId }: Scope) {
  return {
    /** The present end of the changes. */
    end: (): Promise<string> =>
      query(async () => {
        const { rows } = await sql<{ cursor: string }>`
          select (pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 1)::text || '-9223372036854775807' as cursor`.execute(
          db,
        );
        return rows[0]?.cursor ?? "0-0";
      }),

    /**
     * Changes after a place, at most 500. A row is given only when every older transaction has ended, so that none can
     * appear behind the cursor later.
     */
    after: (cursor: string): Promise<ChangePage> =>
      query(async () => {
        const [tx = "0", id = "0"] = cursor.split("-");
        const { rows } = await sql<ChangeRecord>`
          select tx::text || '-' || id as cursor, topic, run_id, data, at from sluice.changes
          where (tx, id) > (${tx}::xid8, ${id}::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot())
            and workspace_id = ${workspaceId}
          order by changes.tx, changes.id limit 500`.execute(db);
        return { changes: rows, cursor: rows.at(-1)?.cursor ?? cursor, reset: false };
      }),
  };
}
