import { join } from "node:path";
import { Client } from "pg";
import { openDatabase } from "../src/store/index.ts";

/** A connection of the benchmark to the database of a running service. */
export interface BenchDatabase {
  readonly url: string;
  /** The first row. */
  query<Row>(text: string): Promise<Row>;
  close(): Promise<void>;
}

/** Joins the database of a data folder. */
export async function joinDatabase(folder: string): Promise<BenchDatabase> {
  const database = await openDatabase({ url: undefined, dataFolder: join(folder, "postgres"), role: "guest" });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  return {
    url: database.url,
    query: async <Row>(text: string) => (await client.query(text)).rows[0] as Row,
    async close() {
      await client.end();
      await database.close();
    },
  };
}

/** How many runs there are, and how many of them have succeeded. */
export function countRuns(database: BenchDatabase): Promise<{ readonly stored: number; readonly succeeded: number }> {
  return database.query(`select count(*)::integer as stored,
    (count(*) filter (where status = 'succeeded'))::integer as succeeded from sluice.runs`);
}
