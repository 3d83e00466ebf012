import { isRecord, type Json, SluiceError } from "../core/index.ts";
import { reactTo } from "./failure-reactions.ts";
import { readSigns, type Signs, successorIn } from "./failure-signs.ts";
import { readLimitHeaders } from "./limit-headers.ts";
import { modelIdOf, type ResolvedModel } from "./model-spec.ts";
import { Overdue } from "./request-time.ts";
import { type AnswerHeaders, readRetryAfterMs } from "./retry-after.ts";
import type { ModelUsage } from "./usage.ts";

/** What was going on when a request failed. */
export interface FailureContext {
  readonly model: Pick<ResolvedModel, "name" | "spec">;
  /** Fires when the run is cancelled or the process shuts down. */
  readonly stop: AbortSignal;
  /** What was sent at most, for a message about sizes. */
  readonly inputTokensAtMost: number;
  /** The status of the provider's answer; null while there was none. */
  readonly answered: number | null;
  /** What the model did until then, by estimate; null when nothing is known of that. */
  readonly usage: ModelUsage | null;
  readonly now: Date;
}

/** An answer that came and is none: it broke off, or its model gave up. */
export class UnusableAnswer extends Error {
  override readonly name = "UnusableAnswer";
  readonly usage: ModelUsage | null;

  /** @param what continues a sentence that begins with the model's name. */
  constructor(what: string, usage: ModelUsage | null) {
    super(what);
    this.usage = usage;
  }
}

/**
 * Gives the SluiceError of whatever a request to a model threw: SECURITY table "What a model call can answer".
 *
 * `details` can hold `limits`, as {@link readLimitHeaders} gives them; `usage`, as `usageOfFailure` reads it; `successor`, the id of
 * a model that the provider names in place of a retired one; and `sent`, as the guarded fetch says it. Neither the provider's
 * message nor the thrown error is kept: both can quote the prompt, and the latter holds all of it.
 */
export function toModelError(thrown: unknown, context: FailureContext): SluiceError {
  if (context.stop.aborted) return stopped(context);
  const chain = causesOf(thrown);
  const overdue = chain.find((error) => error instanceof Overdue);
  if (overdue) return timedOut(overdue, context);
  const unusable = chain.find((error) => error instanceof UnusableAnswer);
  if (unusable) return unavailable(unusable.message, { ...context, usage: unusable.usage });
  const ours = chain.find((error) => error instanceof SluiceError);
  if (ours) return fromGuardedFetch(ours, context);
  const signs = chain.map(readSigns).find((found) => found !== undefined);
  if (signs) return fromAnswer(signs, context);
  return fromNetwork(chain, context);
}

function stopped({ model, stop }: FailureContext): SluiceError {
  if (stop.reason instanceof SluiceError) return stop.reason;
  // Whoever stops a run for good does not ask whether the error is retryable; a shutdown needs it to be.
  return new SluiceError("SHUTTING_DOWN", { message: `the request to ${nameOf(model)} was stopped` });
}

function timedOut({ waitedFor, afterMs }: Overdue, { model, usage }: FailureContext): SluiceError {
  return new SluiceError("MODEL_TIMEOUT", {
    message: `${nameOf(model)} gave no ${waitedFor} within ${afterMs} ms`,
    hint: "Raise the model's timeouts, lower maxOutputTokens, or use a faster model.",
    details: { waitedFor, afterMs, ...usageIn(usage) },
  });
}

function fromGuardedFetch(error: SluiceError, { model, usage }: FailureContext): SluiceError {
  const code = error.code === "EGRESS_TIMEOUT" ? "MODEL_TIMEOUT" : "MODEL_UNAVAILABLE";
  // A refused address or an oversized answer is for the operator, under its own code; so is a missing secret or package.
  if (error.code !== "EGRESS_TIMEOUT" && error.code !== "EGRESS_FAILED") return error;
  const { sent } = isRecord(error.details) ? error.details : {};
  return new SluiceError(code, {
    message: `${nameOf(model)}: ${error.message}`,
    hint: error.hint,
    details: { ...(typeof sent === "string" && { sent }), ...usageIn(usage) },
  });
}

function unavailable(what: string, { model, usage }: FailureContext): SluiceError {
  return new SluiceError("MODEL_UNAVAILABLE", {
    message: `${nameOf(model)} ${what}`,
    hint: "Sluice tries again by itself. If it stays, check the network and the model's baseUrl.",
    details: usageIn(usage),
  });
}

const networkCode = /^(?:E(?!RR_)[A-Z_]+|UND_ERR_\w+|ERR_(?:SSL|TLS)_\w+)$/;
/** Errors of the AI SDK that mean: there was an answer, but not one of a model. */
const noAnswer =
  /^AI_(?:APICall|InvalidResponseData|EmptyResponseBody|NoContentGenerated|JSONParse|TypeValidation)Error$/;

function fromNetwork(chain: readonly Error[], context: FailureContext): SluiceError {
  const code = chain.map((error) => (error as NodeJS.ErrnoException).code).find((value) => typeof value === "string");
  const what = code ?? chain.at(-1)?.name ?? "no error";
  if (networkCode.test(code ?? "") || chain.some((error) => noAnswer.test(error.name) || isFetchFailure(error))) {
    return unavailable(`gave no usable answer (${what})`, context);
  }
  // Some packages stumble over an answer of the right status and another shape, such as one without any choice.
  if (context.answered !== null)
    return unavailable(`gave an answer of another shape than its API's (${what})`, context);
  // Not an answer, but a fault of the installation or of ours, such as a module that cannot be loaded.
  const cause = chain.some(({ name }) => name.startsWith("AI_")) ? undefined : chain[0];
  return new SluiceError("INTERNAL", { message: `calling ${nameOf(context.model)} failed with ${what}`, cause });
}

/** undici says no more than this for a connection that broke. */
function isFetchFailure(error: Error): boolean {
  return error instanceof TypeError && /^(?:fetch failed|terminated)$/.test(error.message);
}

function fromAnswer(signs: Signs, context: FailureContext): SluiceError {
  const { status, headers, labels, text } = signs;
  const nowMs = context.now.getTime();
  const waitMs = announcedWaitMs(signs, nowMs);
  const { code, what, hint } = reactTo(signs, waitMs);
  const limits = readLimitHeaders(headers, nowMs);
  const successor = code === "MODEL_RETIRED" ? successorIn(text) : undefined;
  return new SluiceError(code, {
    message: `${nameOf(context.model)} ${what} (HTTP ${[status, ...labels].join(", ")})`,
    hint: successor === undefined ? hint : `The provider names ${successor} in its place. ${hint ?? ""}`,
    retryAfterMs: code === "MODEL_RATE_LIMITED" || code === "MODEL_UNAVAILABLE" ? waitMs : undefined,
    details: {
      status,
      labels: [...labels],
      ...(limits.length > 0 && { limits: limits.map((limit) => ({ ...limit })) }),
      ...(successor !== undefined && { successor }),
      ...(code === "MODEL_CONTEXT_EXCEEDED" && { inputTokensAtMost: context.inputTokensAtMost }),
      ...usageIn(context.usage),
    },
  });
}

/**
 * The wait that an answer asks for. Most answers tell when limits are whole again, good ones as well: that is a time to wait only
 * where the answer refuses for a limit. What a model itself says of waiting, in an answer that broke off, is none at all.
 */
function announcedWaitMs({ status, headers, body }: Signs, nowMs: number): number | undefined {
  if (status < 400) return undefined;
  const { "retry-after": seconds, "retry-after-ms": milliseconds } = headers;
  const spoken: AnswerHeaders = status === 429 ? headers : { "retry-after": seconds, "retry-after-ms": milliseconds };
  return readRetryAfterMs(spoken, body, nowMs);
}

function usageIn(usage: ModelUsage | null): { readonly [key: string]: Json } {
  return usage === null ? {} : { usage: { ...usage } };
}

function nameOf({ name, spec }: FailureContext["model"]): string {
  return `${spec.provider} model ${modelIdOf(spec)} ("${name}")`;
}

function causesOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && chain.length < 8; error = error.cause) chain.push(error);
  return chain;
}
