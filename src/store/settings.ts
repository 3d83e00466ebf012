import { sql } from "kysely";
import { SluiceError } from "../core/index.ts";
import type { ContentKey, Keyring } from "./content-keys.ts";
import { type Database, query } from "./scope.ts";

/** The value of a setting; given first by whoever is first, and the same for everybody ever after. */
async function settle(db: Database, name: string, first: () => string): Promise<string> {
  const read = async (): Promise<string | undefined> => {
    const { rows } = await sql<{ value: string }>`select value from sluice.settings where name = ${name}`.execute(db);
    return rows[0]?.value;
  };
  const before = await read();
  if (before !== undefined) return before;
  const value = first();
  await sql`insert into sluice.settings (name, value) values (${name}, ${value}) on conflict do nothing`.execute(db);
  return (await read()) ?? value;
}

/**
 * Refuses a key-encryption key other than the one that this database was first opened with: what it seals, others could not
 * read.
 *
 * @throws KEY_MISMATCH
 */
export async function refuseOtherKey(db: Database, { fingerprint }: Keyring): Promise<void> {
  const known = await settle(db, "key-fingerprint", () => fingerprint);
  if (known === fingerprint) return;
  throw new SluiceError("KEY_MISMATCH", {
    message: `the content of this database is sealed with the key of fingerprint ${known}, and this process has the key of fingerprint ${fingerprint}`,
    hint: "Set SLUICE_KEY to the key of the installation, or put its key file into the data folder. Without that key the content cannot be read.",
    details: { database: known, process: fingerprint },
  });
}

/** Gives the key of what belongs to a workspace and to no run. Made on first use. */
export function createWorkspaceKey(db: Database, keyring: Keyring, workspaceId: string): () => Promise<ContentKey> {
  return () =>
    query(async () => {
      const seed = await settle(db, `content-key/${workspaceId}`, () => keyring.newKey().seed);
      return keyring.openKey(seed);
    });
}
