import { randomBytes } from "node:crypto";
import { createPool } from "../store/index.ts";

/** An empty database of its own in a Postgres that is shared with other tests. */
export interface TestDatabase {
  readonly url: string;
  /** Removes it, also while somebody is connected. */
  drop(): Promise<void>;
}

/** Makes a database. */
export async function createTestDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `sluice_test_${randomBytes(6).toString("hex")}`;
  await execute(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(serverUrl, `drop database ${name} with (force)`) };
}

async function execute(url: string, statement: string): Promise<void> {
  const pool = createPool({ url, size: 1, applicationName: "sluice-test", bigintAsNumber: false, onError: () => {} });
  try {
    await pool.query(statement);
  } finally {
    await pool.end();
  }
}
