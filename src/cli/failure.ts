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

/** An error in text: its code and message, the places in a payload, and what to do. */
export function tellError(
  terminal: Terminal,
  error: Pick<SluiceError, "code" | "message" | "hint" | "details">,
): void {
  const { code, message, hint = code === "INTERNAL" ? "Run it again with --debug to see the cause." : undefined } = error;
  terminal.tell(toned("bad", `error ${code}`), `: ${message}`);
  for (const issue of issuesOf(error.details)) terminal.tell(`  ${issue}`);
  if (hint) terminal.tell(toned("busy", "hint"), `: ${hint}`);
}

/** The issues that a schema found, if the error tells any. */
function issuesOf(details: unknown): string[] {
  const issues: readonly unknown[] = isRecord(details) && Array.isArray(details["issues"]) ? details["issues"] : [];
  return issues.filter(isRecord).map(({ path, message }) => `${String(path) || "(the whole value)"}  ${String(message)}`);
}

function stackOf(thrown: unknown): string {
  const stacks: string[] = [];
  for (let error = thrown; error !== undefined && stacks.length < 10; error = (error as Error).cause) {
    stacks.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (!(error instanceof Error)) break;
  }
  return stacks.join("\ncaused by ");
}
