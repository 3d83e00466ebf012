import { randomBytes } from "node:crypto";
import type { Context, ErrorHandler, Handler } from "hono";
import { type Log, SluiceError, toSluiceError } from "../core/index.ts";
import { toProblem } from "../triggers/index.ts";

/**
 * Answers whatever a handler threw. An unexpected error is given an incident id, which is all that the caller learns of it;
 * the log line of that id has the kind of error and where it came from, without messages, because they may quote a payload.
 */
export function createErrorHandler(log: Log): ErrorHandler {
  return (thrown: unknown, context: Context) => {
    const error = toSluiceError(thrown);
    const fields = { method: context.req.method, code: error.code, status: error.status };
    if (error.code === "INTERNAL") {
      const incident = randomBytes(6).toString("hex");
      log.error("request.failed", { ...fields, incident, stack: traceOf(thrown).join("\n") });
      return toProblem(toIncident(incident));
    }
    if (error.status >= 500) log.warn("request.failed", fields);
    return toProblem(error);
  };
}

function toIncident(incident: string): SluiceError {
  return new SluiceError("INTERNAL", {
    message: `something unexpected happened, incident ${incident}`,
    hint: "Look for the incident in the log of this server; it is a defect worth reporting.",
  });
}

/** Names and frames of an error and its causes; messages are left out. */
function traceOf(thrown: unknown, depth = 0): string[] {
  if (!(thrown instanceof Error)) return [typeof thrown];
  const frames = (thrown.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line));
  const cause = thrown.cause === undefined || depth > 4 ? [] : ["caused by", ...traceOf(thrown.cause, depth + 1)];
  return [thrown.name, ...frames.map((frame) => frame.trim()), ...cause];
}

/** Answers a path that leads nowhere. */
export const answerNotFound = (): Response =>
  toProblem(
    new SluiceError("NOT_FOUND", {
      message: "nothing is at this address",
      hint: "Compare the path with /openapi.json of the admin listener; webhooks are under /hooks/ of the public one.",
    }),
  );

/** Answers a path that is there, but not for this method. */
export function answerNotAllowed(allowed: readonly string[]): Handler {
  const allow = allowed.includes("GET") ? ["HEAD", ...allowed] : allowed;
  return () =>
    toProblem(
      new SluiceError("METHOD_NOT_ALLOWED", {
        message: "the address does not take this method",
        hint: `Use ${allow.join(", ")}.`,
      }),
      { allow: allow.join(", ") },
    );
}
