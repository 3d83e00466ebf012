import { isRecord, type ErrorCode, type SluiceError } from "../core/index.ts";

/** Seconds to wait that are named when the error does not know better. */
const defaultRetryAfterSeconds = 5;

/**
 * Writes an error as the answer to an HTTP request: `application/problem+json` with `type`, `title`, `status`, `code`,
 * `detail`, `hint`, and the `issues` of a value that did not fit its schema. Holds no part of what was received.
 * A 429 or 503 says in `Retry-After` when to come back: whole seconds, 5 when nothing better is known.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export function toProblem(error: SluiceError, headers: { readonly [name: string]: string } = {}): Response {
  const { code, status, message, hint, retryAfterMs } = error;
  const issues = isRecord(error.details) ? error.details["issues"] : undefined;
  const retryAfterSeconds = retryAfterMs === undefined ? defaultRetryAfterSeconds : Math.ceil(retryAfterMs / 1000);
  const problem = {
    type: `urn:sluice:error:${code}`,
    title: titleOf(code),
    status,
    code,
    detail: message,
    hint,
    issues,
  };
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...((status === 429 || status === 503) && { "retry-after": String(retryAfterSeconds) }),
      ...headers,
    },
  });
}

function titleOf(code: ErrorCode): string {
  return code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");
}
