import { type ErrorCode, isRecord, SluiceError } from "../core/index.ts";
import { modelIdOf, type ResolvedModel } from "./model-spec.ts";
import type { Reservation } from "./reserve.ts";
import { type AnswerHeaders, readRetryAfterMs } from "./retry-after.ts";

/** What was going on when a request failed. */
export interface FailureContext {
  readonly model: ResolvedModel;
  /** Fires when the run is cancelled or the process shuts down. */
  readonly stop: AbortSignal;
  /** Fires when the request's deadline passed. */
  readonly deadline: AbortSignal;
  readonly timeoutMs: number;
  /** What was sent at most, for a message about sizes. */
  readonly reservation: Reservation;
  readonly now: Date;
}

/** An answer with an HTTP status, as the provider's package reports it. */
interface ErrorAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
}

/**
 * Gives the SluiceError of whatever a request to a model threw: SECURITY table "What a model call can answer".
 *
 * Neither the provider's message nor the thrown error is kept: both can quote the prompt, and the latter holds all of it.
 */
export function toModelError(thrown: unknown, context: FailureContext): SluiceError {
  if (context.stop.aborted) return stopped(context);
  if (context.deadline.aborted) return timedOut(context);
  const chain = causesOf(thrown);
  const ours = chain.find((error) => error instanceof SluiceError);
  if (ours) return fromGuardedFetch(ours, context);
  const answer = chain.map(toErrorAnswer).find((item) => item !== undefined);
  if (answer) return fromAnswer(answer, context);
  return fromNetwork(chain, context);
}

function stopped({ model, stop }: FailureContext): SluiceError {
  if (stop.reason instanceof SluiceError) return stop.reason;
  // Whoever stops a run for good does not ask whether the error is retryable; a shutdown needs it to be.
  return new SluiceError("SHUTTING_DOWN", { message: `the request to ${nameOf(model)} was stopped` });
}

function timedOut({ model, timeoutMs }: FailureContext): SluiceError {
  return new SluiceError("MODEL_TIMEOUT", {
    message: `${nameOf(model)} did not answer within ${timeoutMs} ms`,
    hint: "Raise timeoutMs of the model, lower maxOutputTokens, or use a faster model.",
  });
}

function fromGuardedFetch(error: SluiceError, { model }: FailureContext): SluiceError {
  const code = error.code === "EGRESS_TIMEOUT" ? "MODEL_TIMEOUT" : "MODEL_UNAVAILABLE";
  // A refused address or an oversized answer is for the operator, under its own code; so is a missing secret or package.
  if (error.code !== "EGRESS_TIMEOUT" && error.code !== "EGRESS_FAILED") return error;
  return new SluiceError(code, { message: `${nameOf(model)}: ${error.message}`, hint: error.hint });
}

const networkCode = /^(?:E(?!RR_)[A-Z_]+|UND_ERR_\w+|ERR_(?:SSL|TLS)_\w+)$/;
/** Errors of the AI SDK that mean: there was an answer, but not one of a model. */
const noAnswer =
  /^AI_(?:APICall|InvalidResponseData|EmptyResponseBody|NoContentGenerated|JSONParse|TypeValidation)Error$/;

function fromNetwork(chain: readonly Error[], { model }: FailureContext): SluiceError {
  const code = chain.map((error) => (error as NodeJS.ErrnoException).code).find((value) => typeof value === "string");
  const what = code ?? chain.at(-1)?.name ?? "no error";
  if (networkCode.test(code ?? "") || chain.some((error) => noAnswer.test(error.name) || isFetchFailure(error))) {
    return new SluiceError("MODEL_UNAVAILABLE", {
      message: `${nameOf(model)} gave no usable answer (${what})`,
      hint: "Sluice tries again by itself. If it stays, check the network and the model's baseUrl.",
    });
  }
  // Not an answer, but a fault of the installation or of ours, such as a module that cannot be loaded.
  const cause = chain.some(({ name }) => name.startsWith("AI_")) ? undefined : chain[0];
  return new SluiceError("INTERNAL", { message: `calling ${nameOf(model)} failed with ${what}`, cause });
}

/** undici says no more than this for a connection that broke. */
function isFetchFailure(error: Error): boolean {
  return error instanceof TypeError && /^(?:fetch failed|terminated)$/.test(error.message);
}

interface Reaction {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint?: string;
}

function fromAnswer(answer: ErrorAnswer, context: FailureContext): SluiceError {
  const { model, reservation, now } = context;
  const error = errorObjectOf(answer.body);
  const labels = labelsOf(error);
  const waitMs = readRetryAfterMs(answer.headers, answer.body, now.getTime());
  const { code, what, hint } = react({ ...answer, labels, text: textOf(error, answer.body), waitMs });
  return new SluiceError(code, {
    message: `${nameOf(model)} ${what} (HTTP ${[answer.status, ...labels].join(", ")})`,
    hint,
    retryAfterMs: code === "MODEL_RATE_LIMITED" || code === "MODEL_UNAVAILABLE" ? waitMs : undefined,
    details: {
      status: answer.status,
      labels,
      ...(code === "MODEL_CONTEXT_EXCEEDED" && { inputTokensAtMost: reservation.inputTokens }),
    },
  });
}

/** What the reaction depends on. `text` is only matched, never shown. */
interface Signs extends ErrorAnswer {
  readonly labels: readonly string[];
  readonly text: string;
  readonly waitMs: number | undefined;
}

const quotaLabels = /^(?:insufficient_quota|billing\w*|credit\w*|spend\w*|payment_required)$/;
const quotaText =
  /credit balance is too low|specified (?:api )?usage limits|exceeded your current quota|spend(?:ing)? limit/i;
const contextText =
  /context_length_exceeded|exceed_context_size|maximum context|context (?:length|window|size)|(?:prompt|input) is too long|too many (?:input )?tokens|request_too_large/i;
const refusalText = /content_filter|content_policy|content management policy|moderation|safety system/i;
const retiredText =
  /model_not_found|model_decommissioned|model\b.{0,80}\b(?:not (?:found|exist)|does not exist|deprecated|retired|decommissioned)/i;

const reactions: readonly (readonly [applies: (signs: Signs) => boolean, reaction: Reaction])[] = [
  // A limit per minute of Gemini speaks of quota as well, but says when it ends.
  [
    ({ status, labels, text, waitMs }) =>
      status === 402 ||
      labels.some((label) => quotaLabels.test(label)) ||
      (quotaText.test(text) && status < 500 && waitMs === undefined),
    {
      code: "MODEL_QUOTA_EXHAUSTED",
      what: "refuses because the account's credit or spending limit is used up",
      hint: "Top up the account or raise its limit with the provider, then resume the failed runs.",
    },
  ],
  [
    ({ status, labels }) => status === 429 || labels.includes("rate_limit_exceeded"),
    { code: "MODEL_RATE_LIMITED", what: "asks for fewer requests" },
  ],
  [
    ({ status }) => status === 401 || status === 403,
    {
      code: "MODEL_AUTH_FAILED",
      what: "does not accept the API key",
      hint: "Check the key that the model's apiKey names, and what it may be used for.",
    },
  ],
  [({ status }) => status === 408, { code: "MODEL_TIMEOUT", what: "ran out of time" }],
  [
    ({ status, labels }) => status >= 500 || status === 409 || status === 425 || labels.includes("overloaded_error"),
    { code: "MODEL_UNAVAILABLE", what: "is not available" },
  ],
  [
    ({ status, text }) => status === 413 || (status >= 400 && contextText.test(text)),
    {
      code: "MODEL_CONTEXT_EXCEEDED",
      what: "cannot take a request of this size",
      hint: "Send fewer or shorter fields, or use a model with a longer context.",
    },
  ],
  [
    ({ status, text }) => status >= 400 && refusalText.test(text),
    {
      code: "MODEL_REFUSED",
      what: "refused the request by its content rules",
      hint: "Handle this in the flow: show the case to a person, or go on without the answer.",
    },
  ],
  [
    ({ status, text }) =>
      status === 410 || (status === 404 && isJson(text)) || (status >= 400 && retiredText.test(text)),
    {
      code: "MODEL_RETIRED",
      what: "does not exist any more, or not for this key",
      hint: "Configure another model id under this name. With a server of your own, check its baseUrl.",
    },
  ],
  [
    ({ status }) => status >= 400,
    {
      code: "MODEL_REQUEST_REJECTED",
      what: "rejected the request",
      hint: "Check the model's baseUrl and settings; a server without JSON Schema support needs structuredOutput: false.",
    },
  ],
];

/** An answer below 400 that the provider's package could not read: a web page, or a body that was cut off. */
const unreadable: Reaction = { code: "MODEL_UNAVAILABLE", what: "answered with something that is not its API's JSON" };

function react(signs: Signs): Reaction {
  return reactions.find(([applies]) => applies(signs))?.[1] ?? unreadable;
}

function toErrorAnswer(error: Error): ErrorAnswer | undefined {
  const { statusCode, responseHeaders, responseBody } = error as Error & Record<string, unknown>;
  if (typeof statusCode !== "number") return undefined;
  const headers = isRecord(responseHeaders) ? (responseHeaders as AnswerHeaders) : {};
  return { status: statusCode, headers, body: typeof responseBody === "string" ? responseBody : "" };
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

/** The provider's own words for the error: `insufficient_quota`. Only what looks like a label, since this is shown. */
function labelsOf(error: Readonly<Record<string, unknown>> | undefined): string[] {
  const found = [error?.["code"], error?.["type"], error?.["status"]].filter((label) => typeof label === "string");
  return [...new Set(found.filter((label) => /^[a-z][a-z0-9_.-]{2,50}$/i.test(label) && label !== "error"))];
}

function textOf(error: Readonly<Record<string, unknown>> | undefined, body: string): string {
  return error === undefined ? body.slice(0, 2000) : JSON.stringify(error).slice(0, 4000);
}

function isJson(text: string): boolean {
  return text.startsWith("{");
}

function nameOf(model: ResolvedModel): string {
  return `${model.spec.provider} model ${modelIdOf(model.spec)} ("${model.name}")`;
}

function causesOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && chain.length < 8; error = error.cause) chain.push(error);
  return chain;
}
