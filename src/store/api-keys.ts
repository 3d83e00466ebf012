import { sql } from "kysely";
import { query, type Scope, whereWritable } from "./scope.ts";
import type { Role } from "./tables.ts";

/** A key for programs. The key itself is shown once and never stored. */
export interface ApiKeyRecord {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

const keyColumns = ["id", "name", "role", "createdAt", "lastUsedAt", "revokedAt"] as const;

/** Keys of one workspace. Tokens are stored as digests only. */
export function createApiKeyStore({ db, workspaceId }: Scope) {
  return {
    create: (key: { id: string; name: string; role: Role; tokenDigest: string }): Promise<void> =>
      query(async () => {
        await db
          .insertInto("apiKeys")
          .values({ ...key, workspaceId, lastUsedAt: null, revokedAt: null })
          .execute();
      }),

    /** The live key of a token, marked as used where the database takes that in. */
    use: (tokenDigest: string): Promise<ApiKeyRecord | null> =>
      query(async () => {
        const row = await db
          .selectFrom("apiKeys")
          .select(keyColumns)
          .where("workspaceId", "=", workspaceId)
          .where("tokenDigest", "=", tokenDigest)
          .where("revokedAt", "is", null)
          .executeTakeFirst();
        if (!row) return null;
        await whereWritable(() =>
          db
            .updateTable("apiKeys")
            .set({ lastUsedAt: sql<Date>`now()` })
            .where("workspaceId", "=", workspaceId)
            .where("id", "=", row.id)
            .execute(),
        );
        return row;
      }),

    list: (): Promise<ApiKeyRecord[]> =>
      query(() =>
        db
          .selectFrom("apiKeys")
          .select(keyColumns)
          .where("workspaceId", "=", workspaceId)
          .orderBy("id", "desc")
          .execute(),
      ),

    /** False when there is no such live key. */
    revoke: (id: string): Promise<boolean> =>
      query(async () => {
        const row = await db
          .updateTable("apiKeys")
          .set({ revokedAt: sql<Date>`now()` })
          .where("workspaceId", "=", workspaceId)
          .where("id", "=", id)
          .where("revokedAt", "is", null)
          .executeTakeFirst();
        return row.numUpdatedRows === 1n;
      }),
  };
}
