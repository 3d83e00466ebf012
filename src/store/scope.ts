import { type Kysely, sql } from "kysely";
import { SluiceError } from "../core/index.ts";
import type { Keyring } from "./content-keys.ts";
import { isDatabaseAway, toStoreError } from "./pool.ts";
import type { RunKeys } from "./run-keys.ts";
import type { Tables } from "./tables.ts";

/** The query builder over the tables of schema `sluice`, with camel-case names. Never leaves this room. */
export type Database = Kysely<Tables>;

/** What every query of a workspace needs; a repository cannot be made without it, so neither can a query. */
export interface Scope {
  readonly db: Database;
  readonly workspaceId: string;
  readonly keyring: Keyring;
  /** The keys that the content of runs is sealed with. */
  readonly keys: RunKeys;
}

/** Runs a query and wraps what the driver throws, once. @throws DATABASE_UNAVAILABLE when the database does not answer. */
export async function query<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    throw toStoreError(thrown);
  }
}

/** Notes something by the way. A database that takes nothing in for now (read-only, full) can still be read. */
export async function whereWritable(note: () => Promise<unknown>): Promise<void> {
  try {
    await note();
  } catch (thrown) {
    if (!isDatabaseAway(thrown)) throw thrown;
  }
}

/** Settings that a pool's connections have off, so that they look rows up by key. */
const surveySettings = ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"];

/** Runs a query over many rows, planned as Postgres likes best. */
export function survey<T>(db: Database, run: (db: Database) => Promise<T>): Promise<T> {
  return query(() =>
    db.transaction().execute(async (transaction) => {
      await sql`select set_config(name, 'on', true) from unnest(${surveySettings}::text[]) as name`.execute(
        transaction,
      );
      return run(transaction);
    }),
  );
}

/** Refuses what an execution is about to do whose run is another one's by now. */
export function runTakenOver(runId: string): SluiceError {
  return new SluiceError("RUN_TAKEN_OVER", {
    message: `run "${runId}" is executed elsewhere by now`,
    hint: "Nothing was done here. This process was away for so long that another one took its runs over.",
  });
}

/** JSON text for a `json` column; null stays null. */
export function toText(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** Most rows that one page of a list may have. */
export const maxPageSize = 200;

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Give this as `before` for the next page; null on the last one. */
  readonly next: string | null;
}

/** Cuts a page from `limit + 1` rows. */
export function toPage<Item extends { readonly id: string }>(rows: readonly Item[], limit: number): Page<Item> {
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
