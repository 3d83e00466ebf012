import type { Pool } from "pg";
import { sql } from "kysely";
import { type Database, query } from "./scope.ts";

/** A process that was alive and is not any more. */
export interface DeadProcess {
  readonly executor: string;
}

/** How pg_locks shows a 64-bit advisory lock: in two halves. @see https://www.postgresql.org/docs/current/view-pg-locks.html */
const lockIsHeld = sql`exists (
  select 1 from pg_locks where locktype = 'advisory' and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and classid = ((lock_key >> 32) & 4294967295)::oid and objid = (lock_key & 4294967295)::oid)`;

/**
 * Tells living processes from dead ones. A process holds an advisory lock on a connection of its own: Postgres frees it
 * the moment that connection is gone, so a killed process is seen at once and a slow one is never taken for dead.
 */
export function createProcessStore(db: Database, pool: Pool, sandbox: boolean) {
  return {
    /**
     * Registers a process and holds its lock until `release`. `onLost` is called when the connection breaks: from then
     * on others may adopt this process' runs, so it must stop running them.
     */
    register: async (executor: string, onLost: (error: Error) => void): Promise<{ release(): Promise<void> }> => {
      const client = await query(() => pool.connect());
      let released = false;
      client.on("error", (error) => {
        if (released) return;
        released = true;
        client.release(error);
        onLost(error);
      });
      await query(() =>
        client.query("select pg_advisory_lock(hashtextextended($1, 0))", [executor]).then(() =>
          client.query(
            `insert into sluice.processes (executor, lock_key, pid, sandbox) values ($1, hashtextextended($1, 0), $2, $3)
            on conflict (executor) do update set ended_at = null`,
            [executor, process.pid, sandbox],
          ),
        ),
      );
      return {
        async release() {
          // Destroying the connection frees the lock.
          if (!released) client.release(true);
          released = true;
        },
      };
    },

    /** Marks a process as ended, once its runs are given up or adopted. */
    end: (executor: string): Promise<void> =>
      query(async () => {
        await db
          .updateTable("processes")
          .set({ endedAt: sql<Date>`now()` })
          .where("executor", "=", executor)
          .execute();
      }),

    /** The kinds of processes that execute runs now: against the real systems, or the sandbox's stand-ins. */
    livingKinds: (): Promise<readonly ("real" | "sandbox")[]> =>
      query(async () => {
        const { rows } = await sql<{ sandbox: boolean }>`
          select distinct sandbox from sluice.processes where ended_at is null and ${lockIsHeld}`.execute(db);
        return rows.map((row) => (row.sandbox ? "sandbox" : "real"));
      }),

    /** Registered processes of this store's kind whose lock nobody holds. */
    listDead: (): Promise<DeadProcess[]> =>
      query(async () => {
        const { rows } = await sql<DeadProcess>`
          select executor from sluice.processes where ended_at is null and sandbox = ${sandbox} and not ${lockIsHeld}`.execute(
          db,
        );
        return rows;
      }),

    /** Runs work while holding a lock that only one process can hold; false when another holds it. */
    exclusively: (name: string, work: () => Promise<void>): Promise<boolean> =>
      query(async () => {
        const client = await pool.connect();
        try {
          const { rows } = await client.query("select pg_try_advisory_lock(hashtextextended($1, 1)) as held", [name]);
          if (!(rows[0] as { held: boolean } | undefined)?.held) return false;
          try {
            await work();
          } finally {
            await client.query("select pg_advisory_unlock(hashtextextended($1, 1))", [name]);
          }
          return true;
        } finally {
          client.release();
        }
      }),
  };
}
