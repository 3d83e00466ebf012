import { isRecord } from "../core/index.ts";
import type { AnswerHeaders } from "./retry-after.ts";

/** An answer with an HTTP status that is a failure, in the form in which the providers' packages report theirs. */
export class ProviderFailure extends Error {
  override readonly name = "ProviderFailure";
  readonly statusCode: number;
  readonly responseBody: string;
  readonly responseHeaders: AnswerHeaders;

  constructor(statusCode: number, responseBody: string, responseHeaders: AnswerHeaders) {
    super(`HTTP ${statusCode}`);
    this.statusCode = statusCode;
    this.responseBody = responseBody;
    this.responseHeaders = responseHeaders;
  }

  /** Of an error that came inside a stream: the headers have long been sent by then, so its status is a guess of the package. */
  static ofStream(error: unknown): Error {
    if (error instanceof Error) return error;
    const { statusCode, data } = isRecord(error) ? error : {};
    const body = JSON.stringify({ error: data ?? error }) as string | undefined;
    return new ProviderFailure(typeof statusCode === "number" ? statusCode : 200, body ?? "", {});
  }
}

/** What the reaction to an answer depends on. */
export interface Signs {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
  /** The provider's own words for the error, such as `insufficient_quota`. Safe to show. */
  readonly labels: readonly string[];
  /** What the answer says. It can quote the prompt, so it is only matched, never shown. */
  readonly text: string;
  readonly isJson: boolean;
}

/** Reads the answer that an error reports; undefined when the error is of another kind. */
export function readSigns(error: Error): Signs | undefined {
  const { statusCode, responseHeaders, responseBody } = error as Error & Record<string, unknown>;
  if (typeof statusCode !== "number") return undefined;
  const headers = isRecord(responseHeaders) ? (responseHeaders as AnswerHeaders) : {};
  const body = typeof responseBody === "string" ? responseBody : "";
  const content = errorObjectOf(body);
  return {
    status: statusCode,
    headers,
    body,
    labels: labelsOf(content, headers),
    text: content === undefined ? body.slice(0, 2000) : JSON.stringify(content).slice(0, 4000),
    isJson: content !== undefined,
  };
}

/**
 * The model that an answer about a retired one names in its place; undefined when it names none. Only what looks like the id of a
 * model, with a digit and a hyphen or dot, since this is shown.
 */
export function successorIn(text: string): string | undefined {
  const named = text.matchAll(
    /\b(?:use|using|to|by|with|is|try|successor:?|replacement:?|recommend(?:ed)?:?)\s+(?:model\s+)?["'`\\]{0,3}([a-z][a-z0-9._:/-]{3,80})/gi,
  );
  const ids = [...named].map(([, id = ""]) => id.replace(/[.:/-]+$/, ""));
  return ids.find((id) => /\d/.test(id) && /[-.]/.test(id) && !id.includes("//"));
}

/** The error object of a body, whichever of the usual shapes it has. */
function errorObjectOf(body: string): Readonly<Record<string, unknown>> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    // Not JSON: a proxy's page, say. Then the status decides.
    return undefined;
  }
  const outer: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isRecord(outer)) return undefined;
  return isRecord(outer["error"]) ? outer["error"] : outer;
}

/** Only what looks like a label, since labels are shown: words, but no digits inside of them, as keys have. */
function labelsOf(error: Readonly<Record<string, unknown>> = {}, headers: AnswerHeaders): string[] {
  const details: readonly unknown[] = Array.isArray(error["details"]) ? error["details"] : [];
  // Google's reasons stand in the details; Bedrock's in a header, before its address, and in `__type`, behind a `#`.
  const reasons = details.map((detail) => (isRecord(detail) ? detail["reason"] : undefined));
  const exception = headers["x-amzn-errortype"]?.split(":")[0];
  const type = typeof error["__type"] === "string" ? error["__type"].split("#").at(-1) : undefined;
  const found = [error["code"], error["type"], error["status"], ...reasons.slice(0, 5), exception, type];
  const labels = found.filter((label): label is string => typeof label === "string");
  return [...new Set(labels.filter((label) => /^[a-z][a-z_.-]{2,50}\d{0,3}$/i.test(label) && label !== "error"))];
}
