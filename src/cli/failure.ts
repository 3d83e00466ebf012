import { inspect } from "node:util";
import { isRecord, SluiceError, toSluiceError } from "../core/index.ts";
import { type Terminal, toned } from "./terminal.ts";

/** The process ends with 0 when all is well, with 1 after an error, and with 2 when it was called in a wrong way. */
export const exitCodes = { ok: 0, error: 1, usage: 2 } as const;

/** A command that was called in a wrong way. */
export class UsageError extends SluiceError {
  constructor(message: string, hint: string) {
    super("REQUEST_INVALID", { message, hint });
  }
}

/** How errors are shown. */
export interface FailureStyle {
  /** One JSON document `{ "error": { code, message, hint, ... } }` on standard output instead of text. */
  readonly json: boolean;
  /** With the stack and the causes. */
  readonly debug: boolean;
}

/** Tells what went wrong, and gives the exit code for it. */
export function reportFailure(terminal: Terminal, thrown: unknown, style: FailureStyle): number {
  const error = toSluiceError(thrown);
  terminal.progress(null);
  if (style.json) terminal.printJson({ error: error.toJSON() });
  else tellError(terminal, error);
  if (style.debug) terminal.tell(toned("faint", stackOf(thrown)));
  return thrown instanceof UsageError ? exitCodes.usage : exitCodes.error;
}

/** An error as it was thrown, or as it is stored. */
export interface TellableError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details?: unknown;
}

/** An error in text: its code and message, the places in a payload, and what to do. */
export function tellError(terminal: Terminal, { code, message, details, ...rest }: TellableError): void {
  const hint = rest.hint ?? (code === "INTERNAL" ? "Run it again with --debug to see the cause." : null);
  terminal.tell(toned("bad", `error ${code}`), `: ${message}`);
  for (const issue of issuesOf(details)) terminal.tell(`  ${issue}`);
  if (hint) terminal.tell(toned("busy", "hint"), `: ${hint}`);
}

/** The issues that a schema found, if the error tells any. */
function issuesOf(details: unknown): string[] {
  const issues: readonly unknown[] = isRecord(details) && Array.isArray(details["issues"]) ? details["issues"] : [];
  return issues
    .filter(isRecord)
    .map(({ path, message }) => `${String(path) || "(the whole value)"}  ${String(message)}`);
}

function stackOf(thrown: unknown): string {
  const stacks: string[] = [];
  let error = thrown;
  for (; error instanceof Error && stacks.length < 10; error = error.cause) stacks.push(error.stack ?? error.message);
  if (error !== undefined && !(error instanceof Error)) stacks.push(inspect(error));
  return stacks.join("\ncaused by ");
}
