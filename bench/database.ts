import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Client } from "pg";
import { createIdentifier } from "../src/core/index.ts";
import { openDatabase, openMasterKey, openStore } from "../src/store/index.ts";

/** A connection of the benchmark to the database of a running service. */
export interface BenchDatabase {
  readonly url: string;
  /** The data folder of the service. */
  readonly folder: string;
  /** The first row. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row>;
  /** All rows. */
  list<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Plays with a connection to the database of a data folder. */
export async function withDatabase<T>(folder: string, play: (database: BenchDatabase) => Promise<T>): Promise<T> {
  const database = await joinDatabase(folder);
  try {
    return await play(database);
  } finally {
    await database.close();
  }
}

async function joinDatabase(folder: string): Promise<BenchDatabase & { close(): Promise<void> }> {
  const database = await openDatabase({ url: undefined, dataFolder: join(folder, "postgres"), role: "guest" });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const list = async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await client.query(text, [...values])).rows as Row[];
  return {
    url: database.url,
    folder,
    list,
    query: async <Row>(text: string, values?: readonly unknown[]) => (await list<Row>(text, values))[0] as Row,
    async close() {
      await client.end();
      await database.close();
    },
  };
}

/** How many runs there are, how many of them wait for room, and how many have succeeded. */
export interface RunCounts {
  readonly stored: number;
  readonly queued: number;
  readonly succeeded: number;
}

/** Counts the runs of all flows. */
export function countRuns(database: BenchDatabase): Promise<RunCounts> {
  return database.query(`select count(*)::integer as stored,
    (count(*) filter (where status = 'queued'))::integer as queued,
    (count(*) filter (where status = 'succeeded'))::integer as succeeded from sluice.runs`);
}

/** Makes an API key that may signal runs, as a person would on the dashboard. */
export async function createApiKey({ url, folder }: BenchDatabase): Promise<string> {
  const store = await openStore({
    url,
    key: await openMasterKey({ environment: {}, folder }),
    poolSize: 1,
    onError: () => {},
  });
  try {
    const token = `sk_${randomBytes(32).toString("base64url")}`;
    await store.workspace("default").apiKeys.create({
      id: createIdentifier("key", new Date()),
      name: "bench",
      role: "operator",
      tokenDigest: createHash("sha256").update(token).digest("hex"),
    });
    return token;
  } finally {
    await store.close();
  }
}
