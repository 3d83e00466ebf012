import { changed, commonFaults, spoiled } from "./common-faults.ts";
import type { AnswerEdit, FaultParams, FaultPlay, Reply, WaitForm } from "./exchange.ts";
import type { LimitStanding } from "./model-limits.ts";
import type { ModelVendor, ReplyHeaders } from "./model-vendor.ts";
import type { ModelBatch } from "./state.ts";

/** Twice the five minutes that a client should sit out at most. */
const longWaitMs = 600_000;
/** What the vendors' headers say when a fault has used up the limit of requests. */
const limit = { requests: 500, tokens: 200_000, inputTokens: 200_000, outputTokens: 200_000 };
const usedUp = (resetMs: number): LimitStanding => ({ limit, remaining: { ...limit, requests: 0 }, resetMs });

/** A rate limit, with the wait in the form that the fault asks for. */
function rateLimited(vendor: ModelVendor, params: FaultParams, now: Date): Reply {
  const { retryAfterMs = 1000, header = "retry-after" } = params;
  const reply = vendor.rateLimited(retryAfterMs);
  if (header === "retry-delay") return { ...reply, body: toGeminiBody(retryAfterMs) };
  const seconds = String(Math.ceil(retryAfterMs / 1000));
  const dateIn = (ms: number) => new Date(now.getTime() + ms).toUTCString();
  const own = () => vendor.limitHeaders(usedUp(retryAfterMs), now);
  const forms: { readonly [Form in WaitForm]?: () => ReplyHeaders } = {
    "retry-after": () => ({ "retry-after": seconds }),
    "retry-after-ms": () => ({ "retry-after-ms": String(retryAfterMs), "retry-after": seconds }),
    "retry-after-date": () => ({ "retry-after": dateIn(retryAfterMs) }),
    "x-ratelimit-reset": own,
    past: () => ({ "retry-after": dateIn(-retryAfterMs) }),
    unreadable: () => ({ "retry-after": "soon" }),
    "not-positive": () => withoutRoom(own()),
  };
  return { ...reply, headers: forms[header]?.() ?? {} };
}

/** @see https://ai.google.dev/gemini-api/docs/troubleshooting */
function toGeminiBody(retryAfterMs: number): Reply["body"] {
  const retryInfo = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${retryAfterMs / 1000}s` };
  const message = "Resource has been exhausted (e.g. check quota).";
  return { error: { code: 429, message, status: "RESOURCE_EXHAUSTED", details: [retryInfo] } };
}

const isLimit = (name: string) => name.includes("ratelimit");

/** Limits as Azure can tell them: -1, and a reset of 0. */
function withoutRoom(headers: ReplyHeaders): ReplyHeaders {
  const entries = Object.entries(headers).map(([name, value]) =>
    isLimit(name) ? [name, name.includes("reset") ? "0" : "-1"] : [name, value],
  );
  return Object.fromEntries(entries) as ReplyHeaders;
}

function withoutLimits(headers: ReplyHeaders): ReplyHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isLimit(name)));
}

/** Changes what a call makes a batch of; any other call is answered as ever. */
export const makesBatch =
  (change: (params: FaultParams) => Partial<ModelBatch>): FaultPlay =>
  ({ handle, params }) =>
    changed(handle(), ({ effect }) =>
      effect?.kind === "model.batch.created"
        ? { effect: { ...effect, batch: { ...effect.batch, ...change(params) } } }
        : {},
    );

const edits =
  (edit: AnswerEdit): FaultPlay =>
  ({ handle }) =>
    handle(edit);

/** The faults that every vendor of models can have. */
export function modelFaults(vendor: ModelVendor) {
  const limits =
    (own: FaultParams = {}): FaultPlay =>
    ({ call, params }) =>
      rateLimited(vendor, { ...own, ...params }, call.at);
  return {
    ...commonFaults,
    /** Status 429; the wait of `retryAfterMs` is told as `header` says. The next nine are forms of it. */
    rate_limit_exceeded: limits(),
    rate_limit_by_ms: limits({ header: "retry-after-ms" }),
    rate_limit_by_date: limits({ header: "retry-after-date" }),
    rate_limit_by_reset: limits({ header: "x-ratelimit-reset" }),
    rate_limit_in_body: limits({ header: "retry-delay" }),
    rate_limit_without_wait: limits({ header: "none" }),
    rate_limit_unreadable_wait: limits({ header: "unreadable" }),
    rate_limit_past_wait: limits({ header: "past" }),
    rate_limit_not_positive: limits({ header: "not-positive" }),
    /** Ten minutes. */
    rate_limit_long_wait: limits({ retryAfterMs: longWaitMs }),
    /** A good answer whose limits are -1. */
    limits_not_positive: ({ handle }) => changed(handle(), ({ headers = {} }) => ({ headers: withoutRoom(headers) })),
    /** A good answer that tells no limits. */
    limits_absent: ({ handle }) => changed(handle(), ({ headers = {} }) => ({ headers: withoutLimits(headers) })),
    insufficient_quota: vendor.quotaExhausted,
    spend_limit_reached: vendor.spendLimitReached,
    /** Status 402. */
    payment_required: vendor.paymentRequired,
    invalid_api_key: vendor.invalidKey,
    /** Status 403. */
    permission_denied: vendor.forbidden,
    model_not_found: () => vendor.modelNotFound("retired-model"),
    context_length_exceeded: () => vendor.contextExceeded(vendor.contextTokens + 1),
    server_error: vendor.serverError,
    service_unavailable: vendor.unavailable,
    /** Status 529. */
    overloaded: vendor.overloaded,
    /** No text, no vectors, no ranking. */
    empty_content: edits(() => ({ content: "", finishReason: "stop" })),
    usage_missing: edits((natural) => ({ ...natural, usageMissing: true })),
    /** As `slow`, later than the 60 s in which a first byte should come: the record has the answer and what it used. */
    late_answer: ({ handle, params }) => spoiled(handle(), { delayMs: params.delayMs ?? 65_000 }),
    /** The answer arrives in pieces, `delayMs` (default: 20 s) apart: never still for long, and not whole in time. */
    trickled_body: ({ handle, params }) =>
      spoiled(handle(), { delivery: "trickled", stallMs: params.delayMs ?? 20_000 }),
  } as const satisfies Record<string, FaultPlay>;
}

/**
 * The faults of models that write. Those that spoil an answer leave its status, headers and usage as they were.
 *
 * @param streamError The events that end a stream with an error, given what the stream would have been.
 */
export function textFaults(vendor: ModelVendor, streamError: (stream: string) => string) {
  return {
    /** Half of the answer, with finish reason `length`. */
    length: edits(({ content }) => ({
      content: content.slice(0, Math.ceil(content.length / 2)),
      finishReason: "length",
    })),
    refusal: edits(() => ({ content: null, finishReason: "stop", refusal: "SIMULATED: I cannot help with that." })),
    /** Nearly JSON: in a code fence, with a comma too many. Can be repaired. */
    malformed_json: edits(({ content }) => ({
      content: `\`\`\`json\n${content.slice(0, -1)},}\n\`\`\``,
      finishReason: "stop",
    })),
    /** A sentence in place of JSON. */
    not_json: edits(() => ({ content: "SIMULATED: here is what I think about it.", finishReason: "stop" })),
    /** JSON that fits no schema. */
    schema_mismatch: edits(() => ({ content: '{"simulated":"SIMULATED"}', finishReason: "stop" })),
    /** Half of the stream, then an event that says error. What is not streamed gets status 500. */
    stream_error: ({ handle }) =>
      changed(handle(), ({ headers, body }) => {
        if (headers?.["content-type"] !== "text/event-stream" || typeof body !== "string") return vendor.serverError();
        const events = body.split(/(?<=\n\n)/);
        return { body: events.slice(0, Math.ceil(events.length / 2)).join("") + streamError(body) };
      }),
    /** Half of the requests of a batch are answered, the others expire. */
    batch_expired: makesBatch(() => ({ fate: "expired" })),
    /** Of a batch's requests, a `share` (default: 0.5) fails with the vendor's server error. */
    batch_requests_failed: makesBatch(({ share = 0.5 }) => ({ failingShare: share })),
  } as const satisfies Record<string, FaultPlay>;
}
