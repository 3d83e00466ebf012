import { sql } from "kysely";
import { query, type Scope, whereWritable } from "./scope.ts";
import type { Role } from "./tables.ts";

/** A person who may sign in. */
export interface UserRecord {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
}

const userColumns = ["id", "email", "name", "role", "createdAt"] as const;

/** Users and the setup link of one workspace. Tokens are stored as digests only. */
export function createPeopleStore({ db, workspaceId }: Scope) {
  return {
    countUsers: (): Promise<number> =>
      query(async () => {
        const row = await db
          .selectFrom("users")
          .select((eb) => eb.fn.countAll<number>().as("count"))
          .where("workspaceId", "=", workspaceId)
          .executeTakeFirstOrThrow();
        return row.count;
      }),

    findUserByEmail: (email: string): Promise<(UserRecord & { passwordHash: string }) | null> =>
      query(async () => {
        const row = await db
          .selectFrom("users")
          .select([...userColumns, "passwordHash"])
          .where("workspaceId", "=", workspaceId)
          .where("email", "=", email.toLowerCase())
          .executeTakeFirst();
        return row ?? null;
      }),

    /** Names of users and API keys by their ids. */
    namesOf: (ids: readonly string[]): Promise<ReadonlyMap<string, string>> =>
      query(async () => {
        if (ids.length === 0) return new Map();
        const { rows } = await sql<{ id: string; name: string }>`
          select id, name from sluice.users where workspace_id = ${workspaceId} and id = any(${ids})
          union all select id, name from sluice.api_keys where workspace_id = ${workspaceId} and id = any(${ids})`.execute(
          db,
        );
        return new Map(rows.map(({ id, name }) => [id, name]));
      }),

    /** Issues a setup token; earlier ones stay valid until they expire or one is used. */
    createSetupToken: (tokenDigest: string, expiresAt: Date): Promise<void> =>
      query(async () => {
        await db.insertInto("setupTokens").values({ workspaceId, tokenDigest, expiresAt, usedAt: null }).execute();
      }),

    /** Whether a setup token could be used now; changes nothing. */
    isSetupTokenLive: (tokenDigest: string): Promise<boolean> =>
      query(async () => {
        const row = await db
          .selectFrom("setupTokens")
          .select("tokenDigest")
          .where("workspaceId", "=", workspaceId)
          .where("tokenDigest", "=", tokenDigest)
          .where("usedAt", "is", null)
          .where("expiresAt", ">", sql<Date>`now()`)
          .executeTakeFirst();
        return row !== undefined;
      }),

    /**
     * Uses a setup token and creates the first user in one transaction. False when the token is unknown, used or
     * expired, or when there is a user already: then nothing is changed.
     */
    createFirstUser: (
      tokenDigest: string,
      user: Omit<UserRecord, "createdAt"> & { passwordHash: string },
    ): Promise<boolean> =>
      query(() =>
        db.transaction().execute(async (tx) => {
          // Two links used at once: the lock lets one of them see the other's user.
          await sql`select 1 from sluice.workspaces where id = ${workspaceId} for update`.execute(tx);
          const { count } = await tx
            .selectFrom("users")
            .select((eb) => eb.fn.countAll<number>().as("count"))
            .where("workspaceId", "=", workspaceId)
            .executeTakeFirstOrThrow();
          if (count > 0) return false;
          const used = await tx
            .updateTable("setupTokens")
            .set({ usedAt: sql<Date>`now()` })
            .where("workspaceId", "=", workspaceId)
            .where("tokenDigest", "=", tokenDigest)
            .where("usedAt", "is", null)
            .where("expiresAt", ">", sql<Date>`now()`)
            .executeTakeFirst();
          if (used.numUpdatedRows !== 1n) return false;
          await tx
            .insertInto("users")
            .values({ ...user, email: user.email.toLowerCase(), workspaceId })
            .execute();
          return true;
        }),
      ),
  };
}

/** Sessions of one workspace. Tokens are stored as digests only. */
export function createSessionStore({ db, workspaceId }: Scope) {
  return {
    create: (session: { tokenDigest: string; userId: string; expiresAt: Date }): Promise<void> =>
      query(async () => {
        await db
          .insertInto("sessions")
          .values({ ...session, workspaceId })
          .execute();
      }),

    /** The user of a session that is neither over nor idle for longer than given; marked as seen where the database takes that in. */
    use: (tokenDigest: string, idleMs: number): Promise<UserRecord | null> =>
      query(async () => {
        const { rows } = await sql<UserRecord>`
          select users.id, email, name, role, users.created_at from sluice.sessions as session
          join sluice.users on users.workspace_id = session.workspace_id and users.id = session.user_id
          where session.workspace_id = ${workspaceId} and token_digest = ${tokenDigest} and expires_at > now()
            and seen_at > now() - make_interval(secs => ${idleMs / 1000})`.execute(db);
        const [user] = rows;
        if (!user) return null;
        await whereWritable(() =>
          sql`update sluice.sessions set seen_at = now()
            where workspace_id = ${workspaceId} and token_digest = ${tokenDigest}`.execute(db),
        );
        return user;
      }),

    end: (tokenDigest: string): Promise<void> =>
      query(async () => {
        await db
          .deleteFrom("sessions")
          .where("workspaceId", "=", workspaceId)
          .where("tokenDigest", "=", tokenDigest)
          .execute();
      }),
  };
}
