import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { Client, type ClientBase, Pool, types } from "pg";
import { SluiceError } from "../core/index.ts";

/** Our `bigint` columns hold counts and micro-dollars far below 2^53, so they come as numbers. */
const typesWithNumbers = {
  getTypeParser(id: number, format?: "text" | "binary"): (value: string) => unknown {
    return id === types.builtins.INT8 && format !== "binary" ? Number : types.getTypeParser(id, format);
  },
};

const names = new Map<string, string>();

/** A stable statement name for a text, within Postgres' limit of 63 bytes. */
function statementName(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `s${createHash("sha1").update(text).digest("base64url")}`;
  // Texts made of values would fill this map and the server's memory; ours are few, and a stray generator is bounded.
  if (names.size < 2000) names.set(text, name);
  return name;
}

/**
 * A client that names each text with parameters, so that Postgres plans it once for each connection: measured 1.36 to
 * 1.43 times the flows per second with half of Postgres' CPU.
 */
class PreparingClient extends Client {
  // The signature of pg's query has nine overloads; this passes all of them on.
  // oxlint-disable-next-line typescript/no-explicit-any
  override query(...parameters: any[]): any {
    const [first, second] = parameters as [unknown, unknown];
    if (typeof first === "string" && Array.isArray(second) && second.length > 0) {
      parameters.splice(0, 2, { text: first, values: second, name: statementName(first) });
    }
    const answer = (super.query as (...all: unknown[]) => unknown)(...parameters);
    if (answer instanceof Promise) answer.catch((error: unknown) => this.#leaveSilent(error));
    return answer;
  }

  /** A connection that did not answer in time may have lost its other end without a word: nobody is to wait on it again. */
  #leaveSilent(error: unknown): void {
    if (!(error instanceof Error && isSilence(error))) return;
    (this as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream.destroy();
  }
}

/** How pg says that a query was not answered within `query_timeout`. */
function isSilence({ message }: Error): boolean {
  return message === "Query read timeout";
}

/** What {@link createPool} takes. */
export interface PoolOptions {
  readonly url: string;
  /** Most connections open at once. */
  readonly size: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /**
   * How long a statement may take, in milliseconds; 0: any time. Beyond, the database is taken for away, for a connection
   * can go silent without being closed. Default: 4,000.
   */
  readonly queryTimeoutMs?: number;
  /** Whether `bigint` comes as a number instead of text. */
  readonly bigintAsNumber: boolean;
  /** Told of a connection that broke while idle; the pool opens another one when needed. */
  readonly onError: (error: Error) => void;
}

/**
 * Statements look rows up by key, often a handful of keys at once. They are planned once for each connection, often while
 * tables are small or have grown since Postgres looked at them; it would rather read a whole table, also when that has long
 * grown by thousands of rows. Measured with 14,000 runs: 8 ms instead of 0.4 for a batch of steps, 14 instead of 0.4 for
 * one of run states; 2,200 flows/s fell to 900 within nine seconds. `survey` in scope.ts undoes it for a query over many rows.
 * The pool awaits what this gives before it hands a new connection out.
 */
const planByKey = (client: ClientBase): unknown =>
  client.query(
    "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set random_page_cost = 1.1",
  );

/** Opens a pool of connections that prepare their statements. Connects on first use. */
export function createPool(options: PoolOptions): Pool {
  const pool = new Pool({
    connectionString: options.url,
    max: options.size,
    Client: PreparingClient,
    ...(options.bigintAsNumber && { types: typesWithNumbers }),
    application_name: options.applicationName,
    connectionTimeoutMillis: 4000,
    query_timeout: options.queryTimeoutMs ?? 4000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    // A process that is frozen in the middle of a transaction would hold its rows for as long as its connection lives.
    idle_in_transaction_session_timeout: 4000,
    onConnect: planByKey,
  });
  // Sockets may outlive a clean end for a moment; their loss is none.
  pool.on("error", (error) => {
    if (!pool.ending) options.onError(error);
  });
  // A connection can break between two statements of whoever holds it: the next one fails, the process must not.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** SQLSTATE classes and codes that mean "not now" rather than "wrong". @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const passingStates = /^(08|53|57P|58|25006)/;
const passingErrnos = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
]);

/** Whether what the database driver threw may pass: the database is away, or takes nothing in for now. */
export function isDatabaseAway(thrown: unknown): boolean {
  return toStoreError(thrown).code === "DATABASE_UNAVAILABLE";
}

/** Wraps an error of the database driver once: DATABASE_UNAVAILABLE when it may pass, else INTERNAL. Values are never quoted. */
export function toStoreError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  const lost =
    thrown instanceof Error &&
    /timeout exceeded|Query read timeout|Connection terminated|Cannot use a pool|not queryable/.test(thrown.message);
  if (lost || passingErrnos.has(code) || passingStates.test(code)) {
    return new SluiceError("DATABASE_UNAVAILABLE", {
      message: `the database does not answer${code ? ` (${code})` : ""}`,
      hint: "Nothing was acknowledged. Check that Postgres runs and can be reached; sluice doctor tells more.",
      cause: thrown,
    });
  }
  return new SluiceError("INTERNAL", { message: `a query failed${code ? ` (SQLSTATE ${code})` : ""}`, cause: thrown });
}
