import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { inject } from "vitest";

/** A database of its own for one test file. */
export interface TestDatabase {
  readonly url: string;
  /** Runs a statement in it, for what no process of ours does, such as moving time. */
  query(statement: string): Promise<void>;
  /** Removes it, also while somebody is connected. */
  drop(): Promise<void>;
}

/** Makes an empty database in the Postgres of the test run. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = inject("databaseServerUrl");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, query: (statement) => onServer(url.href, statement), drop: () => onServer(server, `drop database ${name} with (force)`) };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
