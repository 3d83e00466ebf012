import { join } from "node:path";
import { Client } from "pg";
import { openDatabase } from "../src/store/index.ts";

/** The database of a service: the bundled one of a folder, or one at an address. */
export type Place = { readonly folder: string } | { readonly databaseUrl: string };

/** Asks the database, past everything that the application has in front of it. */
export interface Database {
  /** The rows as the tables have them, with the names of their columns. */
  readonly query: <Row = { readonly [column: string]: unknown }>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<Row[]>;
}

/** Works on a database with a connection of its own, beside whatever else uses it. */
export async function withDatabase<T>(place: Place, use: (database: Database) => Promise<T>): Promise<T> {
  const joined =
    "databaseUrl" in place
      ? { url: place.databaseUrl, close: async () => {} }
      : await openDatabase({ url: undefined, dataFolder: join(place.folder, "postgres"), role: "guest" });
  const client = new Client({ connectionString: joined.url });
  // A connection that breaks fails the query under way; without a listener it would end this process.
  client.on("error", () => {});
  try {
    await client.connect();
    return await use({
      query: async <Row>(text: string, values: readonly unknown[] = []) =>
        (await client.query(text, [...values])).rows as Row[],
    });
  } finally {
    await client.end().catch(() => {});
    await joined.close();
  }
}

/** A Postgres that outlives the services: the bundled one, started by the experiment. */
export interface Postgres {
  readonly url: string;
  readonly postmasterPid: number;
  /** Makes an empty database, or a copy of one that nobody uses; gives its address. */
  createDatabase(name: string, template?: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts the bundled Postgres in a folder that its user may enter. */
export async function startPostgres(folder: string): Promise<Postgres> {
  const server = await openDatabase({ url: undefined, dataFolder: join(folder, "postgres"), role: "owner" });
  return {
    url: server.url,
    postmasterPid: server.postmasterPid ?? 0,
    async createDatabase(name, template = "template1") {
      await withDatabase({ databaseUrl: server.url }, ({ query }) =>
        query(`create database "${name}" template "${template}"`),
      );
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    close: () => server.close(),
  };
}
