import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { inject } from "vitest";

/** The key-encryption key of all tests that open a store by themselves. */
export const testKey: Buffer = Buffer.alloc(32, "test key");

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
  return { url: url.href, query: (statement) => onServer(url.href, statement), drop: () => drop(server, name) };
}

/** Postgres' own cleaner may be at work in it, which only a superuser may end: it is gone in a moment. */
async function drop(server: string, name: string): Promise<void> {
  for (let triesLeft = 50; ; triesLeft -= 1) {
    try {
      return await onServer(server, `drop database ${name} with (force)`);
    } catch (error) {
      const isCleaned = error instanceof Error && "code" in error && error.code === "42501";
      if (!isCleaned || triesLeft === 0) throw error;
      await delay(100);
    }
  }
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
