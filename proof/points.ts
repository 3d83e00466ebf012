import { channel } from "node:diagnostics_channel";
import { createHash } from "node:crypto";
import { Client } from "pg";

/*
 * A process that dies between two outputs leaves what it would have left by dying right after the first or right before
 * the second: nobody outside can tell. So the points at which awaits can be cut off are those before and after each
 * statement that changes something, and before, in the middle of and after each HTTP request. Reads leave nothing; of a
 * transaction, the commit does.
 *
 * A point is named by what is done there and how often it was done before, such as `insert into sluice.effects ... #1 done`:
 * the name is the same in every run of the same flow, however statements of polls fall between.
 */

/** The points of this process. */
export interface Points {
  /** Forgets what was passed, notes what is passed from now on, and kills the process at the point given. */
  watch(dieAt: string | null): void;
  /** The points that were passed, in order. A point after a statement that found and changed nothing has `(none)` at its end. */
  passed(): readonly string[];
}

/** Makes this process note its points. To be called once, before anything connects. */
export function notePoints(): Points {
  let counts: Map<string, number> | null = null;
  let dieAt: string | null = null;
  let passed: string[] = [];
  const pass = (what: string, moment: string): void => {
    if (counts === null) return;
    const key = `${what} ${moment}`;
    const before = counts.get(key) ?? 0;
    counts.set(key, before + 1);
    const point = `${key} ${before + 1}`;
    passed.push(point);
    if (point === dieAt) process.kill(process.pid, "SIGKILL");
  };
  noteStatements(pass);
  noteRequests(pass);
  return {
    watch(point) {
      [counts, dieAt, passed] = [new Map(), point, []];
    },
    passed: () => passed,
  };
}

type Pass = (what: string, moment: string) => void;

interface Result {
  readonly rowCount?: number | null;
}

/** Both the store and the engine beneath go through pg's client. */
function noteStatements(pass: Pass): void {
  // oxlint-disable-next-line typescript/unbound-method -- it is applied to the client it is called on
  const original = Client.prototype.query as (...parameters: unknown[]) => unknown;
  const transactions = new WeakMap<Client, string>();
  function query(this: Client, ...parameters: unknown[]): unknown {
    const what = enter(transactions, this, textOf(parameters[0]));
    if (what === null) return original.apply(this, parameters);
    pass(what, "begun");
    const done = (result?: Result): void => pass(what, result?.rowCount === 0 ? "done (none)" : "done");
    const last = parameters.at(-1);
    if (typeof last === "function") {
      const callback = last as (error: unknown, result: Result) => void;
      parameters[parameters.length - 1] = (error: unknown, result: Result): void => {
        done(result);
        callback(error, result);
      };
      return original.apply(this, parameters);
    }
    const promise = original.apply(this, parameters) as Promise<Result>;
    return note(promise, done);
  }
  Client.prototype.query = query as typeof Client.prototype.query;
}

/** Passes the point before whoever awaits the statement goes on. */
async function note(statement: Promise<Result>, done: (result?: Result) => void): Promise<Result> {
  try {
    const result = await statement;
    done(result);
    return result;
  } catch (error) {
    done();
    throw error;
  }
}

function textOf(statement: unknown): string {
  const text = typeof statement === "string" ? statement : (statement as { readonly text?: unknown }).text;
  return typeof text === "string" ? text.replaceAll(/\s+/g, " ").trim() : "";
}

/**
 * Names a statement by the beginning of its text and a digest of all of it, a commit by what it commits. Null for one that
 * leaves nothing by itself.
 */
function enter(transactions: WeakMap<Client, string>, client: Client, text: string): string | null {
  const open = transactions.get(client);
  if (/^(begin|start transaction)/i.test(text)) transactions.set(client, "nothing");
  if (/^(begin|start transaction|rollback|select|listen|set|show|$)/i.test(text)) return null;
  const name = `${text.slice(0, 60)} [${createHash("sha1").update(text).digest("hex").slice(0, 8)}]`;
  if (/^commit/i.test(text)) {
    transactions.delete(client);
    return `commit of ${open}`;
  }
  if (open === undefined) return name;
  transactions.set(client, name);
  return null;
}

/** @see https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md */
function noteRequests(pass: Pass): void {
  const moments = {
    "undici:request:create": "begun",
    "undici:request:bodySent": "sent",
    "undici:request:trailers": "done",
  };
  for (const [name, moment] of Object.entries(moments)) {
    channel(name).subscribe((message) => {
      const { request } = message as { readonly request: { readonly method: string; readonly path: string } };
      pass(`${request.method} ${request.path.split("?")[0]}`, moment);
    });
  }
}
