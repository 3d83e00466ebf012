import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Pool, PoolClient } from "pg";
import { type Database, query } from "./scope.ts";
import type { ProcessRole } from "./tables.ts";

/** A registered process that has not ended, as a look at it shows. */
export interface ProcessSight {
  readonly executor: string;
  /** Grows while it lives. */
  readonly beat: number;
  /** Whether nobody holds its lock: its connection is gone. */
  readonly lockFree: boolean;
}

/** What {@link createProcessStore}'s `register` takes. */
export interface Registration {
  readonly executor: string;
  readonly role: ProcessRole;
  /** Names of the flows that it knows. */
  readonly flows: readonly string[];
  /** Called when the connection breaks. */
  readonly onLost: () => void;
  /** Called when another process says that there is something to do. */
  readonly onWake: () => void;
}

/** Whether somebody holds the lock of a row of `processes`. How pg_locks shows a 64-bit advisory lock: in two halves. @see https://www.postgresql.org/docs/current/view-pg-locks.html */
export const lockIsHeld = sql<boolean>`exists (
  select 1 from pg_locks where locktype = 'advisory' and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and classid = ((lock_key >> 32) & 4294967295)::oid and objid = (lock_key & 4294967295)::oid)`;

/** Where processes of a kind hear that something was queued. */
export const channels = { real: "sluice_real", sandbox: "sluice_sandbox" } as const;

const channelOf = (sandbox: boolean): string => (sandbox ? channels.sandbox : channels.real);

/**
 * Tells living processes from dead ones by two signs: an advisory lock on a connection of its own, which Postgres frees
 * the moment that connection is gone, and a number that the process makes grow, which stands still when it is frozen or
 * its machine vanished.
 */
export function createProcessStore(db: Database, pool: Pool, sandbox: boolean) {
  return {
    /** Registers a process, holds its lock and listens for others until `release`. */
    register: async (registration: Registration): Promise<{ readonly now: Date; release(): Promise<void> }> => {
      const client = await query(() => pool.connect());
      let [entered, released] = [false, false];
      const release = (error: Error | true): void => {
        // Destroying the connection frees the lock.
        if (!released) client.release(error);
        released = true;
      };
      client.on("error", (error) => {
        if (released) return;
        release(error);
        if (entered) registration.onLost();
      });
      client.on("notification", registration.onWake);
      try {
        const now = await query(() => enter(client, registration, sandbox));
        entered = true;
        return { now, release: async () => release(true) };
      } catch (error) {
        release(true);
        throw error;
      }
    },

    /** Shows that a process lives, and gives the time. Null when others took it for dead and took its runs over. */
    beat: (executor: string): Promise<Date | null> =>
      query(async () => {
        const row = await db
          .updateTable("processes")
          .set((eb) => ({ beat: eb("beat", "+", 1) }))
          .where("executor", "=", executor)
          .where("endedAt", "is", null)
          .returning(sql<Date>`clock_timestamp()`.as("now"))
          .executeTakeFirst();
        return row?.now ?? null;
      }),

    /** Lets all processes of a kind look for queued runs at once. Default: of this store's kind. */
    wakeAll: (forSandbox: boolean = sandbox): Promise<void> =>
      query(async () => void (await sql`select pg_notify(${channelOf(forSandbox)}, '')`.execute(db))),

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
          select distinct sandbox from sluice.processes where ended_at is null and role <> 'web' and ${lockIsHeld}`.execute(
          db,
        );
        return rows.map((row) => (row.sandbox ? "sandbox" : "real"));
      }),

    /** The processes of this store's kind that have not ended. */
    look: (): Promise<ProcessSight[]> =>
      query(async () => {
        const { rows } = await sql<ProcessSight>`
          select executor, beat, not ${lockIsHeld} as lock_free from sluice.processes
          where ended_at is null and sandbox = ${sandbox}`.execute(db);
        return rows;
      }),
  };
}

/** With a lock of a new name each time: that of a connection that broke may not be free yet. Gives the time. */
async function enter(client: PoolClient, registration: Registration, sandbox: boolean): Promise<Date> {
  const { executor, role, flows } = registration;
  const lock = `${executor}/${randomUUID()}`;
  await client.query("select pg_advisory_lock(hashtextextended($1, 0))", [lock]);
  await client.query(`listen ${channelOf(sandbox)}`);
  const { rows } = await client.query<{ now: Date }>(
    `insert into sluice.processes (executor, lock_key, pid, sandbox, role, flows)
     values ($1, hashtextextended($2, 0), $3, $4, $5, $6)
     on conflict (executor) do update set ended_at = null, lock_key = excluded.lock_key, beat = processes.beat + 1
     returning clock_timestamp() as now`,
    [executor, lock, process.pid, sandbox, role, flows],
  );
  return rows[0]?.now ?? new Date();
}
