import { type Kysely, sql } from "kysely";
import { statements as calls } from "./gateway/calls.ts";
import { statements as content } from "./gateway/content.ts";
import { statements as ledger } from "./gateway/ledger.ts";
import { statements as limits } from "./gateway/limits.ts";

/** The gateway: limits and budgets that all processes share, sealed content, the ledger, and what is recorded of AI calls. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw("set local search_path to sluice").execute(db);
  for (const statement of [...limits, ...ledger, ...content, ...calls]) await sql.raw(statement).execute(db);
}
