import { channel } from "node:diagnostics_channel";
import { createHash } from "node:crypto";
import { Client } from "pg";

/*
 * A process that dies between two inputs or outputs leaves what it would have left by dying right after the first or
 * right before the second: nobody outside can tell. So the points at which its awaits can be cut off are those before and
 * after each statement to the database, and before, in the middle of and after each HTTP request.
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
  const original = Client.prototype.query as (...parameters: unknown[]) => unknown;
  const lastOf = new WeakMap<Client, string>();
  function query(this: Client, ...parameters: unknown[]): unknown {
    const what = nameOf(parameters[0], lastOf.get(this));
    if (what !== null) lastOf.set(this, what);
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
    return promise.then(
      (result) => {
        done(result);
        return result;
      },
      (error: unknown) => {
        done();
        throw error;
      },
    );
  }
  Client.prototype.query = query as typeof Client.prototype.query;
}

/**
 * The beginning of a statement's text and a digest of all of it. A commit is named after what it commits. Null where
 * nothing is told apart: a begin leaves no more than what came before it, and a cursor has no text.
 */
function nameOf(statement: unknown, last: string | undefined): string | null {
  const text = typeof statement === "string" ? statement : (statement as { readonly text?: unknown }).text;
  if (typeof text !== "string") return null;
  const words = text.replaceAll(/\s+/g, " ").trim();
  if (/^(begin|start transaction)/i.test(words)) return null;
  if (/^(commit|rollback)/i.test(words)) return `${words} after ${last ?? "nothing"}`;
  return `${words.slice(0, 60)} [${createHash("sha1").update(words).digest("hex").slice(0, 8)}]`;
}

/** @see https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md */
function noteRequests(pass: Pass): void {
  const moments = { "undici:request:create": "begun", "undici:request:bodySent": "sent", "undici:request:trailers": "done" };
  for (const [name, moment] of Object.entries(moments)) {
    channel(name).subscribe((message) => {
      const { request } = message as { readonly request: { readonly method: string; readonly path: string } };
      pass(`${request.method} ${request.path.split("?")[0]}`, moment);
    });
  }
}
