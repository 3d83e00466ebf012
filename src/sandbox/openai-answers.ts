import { isRecord, type Json, type JsonObject } from "../core/index.ts";
import type { ChatRequest } from "./brain.ts";
import type { FaultParams, IncomingCall, ModelAnswer, Reply } from "./exchange.ts";

const requestLimit = 500;
const tokenLimit = 200_000;

/** OpenAI's shape of an error. @see https://platform.openai.com/docs/guides/error-codes */
function failed(status: number, type: string, message: string, code: string | null): Reply {
  return { status, body: { error: { message, type, param: null, code } } };
}

export const invalidKey = (): Reply =>
  failed(
    401,
    "invalid_request_error",
    "Incorrect API key provided. You can find your API key in the dashboard.",
    "invalid_api_key",
  );

export const invalidRequest = (message: string, status = 400): Reply =>
  failed(status, "invalid_request_error", message, null);

export const modelNotFound = (model: string): Reply =>
  failed(
    404,
    "invalid_request_error",
    `The model \`${model}\` does not exist or you do not have access to it.`,
    "model_not_found",
  );

export const contextExceeded = (limit: number, used: number): Reply =>
  failed(
    400,
    "invalid_request_error",
    `This model's maximum context length is ${limit} tokens. However, your messages resulted in ${used} tokens. Please reduce the length of the messages.`,
    "context_length_exceeded",
  );

export const serverError = (): Reply =>
  failed(500, "server_error", "The server had an error while processing your request. Sorry about that!", null);

export const unavailable = (): Reply =>
  failed(503, "server_error", "The engine is currently overloaded, please try again later", null);

/** Status 529, as Anthropic and servers that copy it answer. */
export const overloaded = (): Reply => failed(529, "overloaded_error", "Overloaded", "overloaded");

export const quotaExhausted = (): Reply =>
  failed(
    429,
    "insufficient_quota",
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
  );

/** A rate limit, with the wait in the form that the fault asks for. */
export function rateLimited({ retryAfterMs = 1000, header = "retry-after" }: FaultParams, now: Date): Reply {
  const wait = toGoDuration(retryAfterMs);
  const seconds = String(Math.ceil(retryAfterMs / 1000));
  const forms: { readonly [Form in NonNullable<FaultParams["header"]>]: { readonly [name: string]: string } } = {
    "retry-after": { "retry-after": seconds },
    "retry-after-ms": { "retry-after-ms": String(retryAfterMs), "retry-after": seconds },
    "retry-after-date": { "retry-after": new Date(now.getTime() + retryAfterMs).toUTCString() },
    "x-ratelimit-reset": limitHeaders({ remaining: 0, reset: wait }),
    none: {},
  };
  const message = `Rate limit reached on requests per min (RPM): Limit ${requestLimit}, Used ${requestLimit}, Requested 1. Please try again in ${wait}.`;
  return { ...failed(429, "requests", message, "rate_limit_exceeded"), headers: forms[header] };
}

/** @see https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers */
export function limitHeaders({ remaining = requestLimit - 1, reset = "120ms" } = {}): { [name: string]: string } {
  return {
    "x-ratelimit-limit-requests": String(requestLimit),
    "x-ratelimit-limit-tokens": String(tokenLimit),
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-remaining-tokens": String(tokenLimit - 1000),
    "x-ratelimit-reset-requests": reset,
    "x-ratelimit-reset-tokens": "6ms",
  };
}

/** Writes a time as OpenAI's headers do: `20ms`, `1.5s`, `6m0s`, `1h2m3s`. */
export function toGoDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const [hours, minutes, seconds] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms % 60_000) / 1000];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}

/** A completion, as one document or as server-sent events, whichever was asked for. */
export function toCompletion(
  call: IncomingCall,
  request: ChatRequest,
  answer: ModelAnswer,
  { promptTokens, completionTokens }: { readonly promptTokens: number; readonly completionTokens: number },
): Reply {
  const id = `chatcmpl-sandbox${call.number}`;
  const base = { id, created: Math.floor(call.at.getTime() / 1000), model: request.model };
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
  if (request["stream"] === true) return toEventStream(base, answer, wantsUsage(request) ? usage : undefined);
  const { content, finishReason, refusal = null } = answer;
  const message = { role: "assistant", content, refusal };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishReason }];
  return { status: 200, body: { ...base, object: "chat.completion", choices, usage } };
}

function wantsUsage(request: ChatRequest): boolean {
  const options = request["stream_options"] ?? null;
  return isRecord(options) && options["include_usage"] === true;
}

function toEventStream(base: JsonObject, answer: ModelAnswer, usage: JsonObject | undefined): Reply {
  const chunk = (delta: JsonObject, finish_reason: string | null = null): JsonObject => ({
    ...base,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  });
  const pieces = answer.content?.match(/.{1,24}/gsu) ?? [];
  const chunks: readonly Json[] = [
    chunk({ role: "assistant", content: "" }),
    ...pieces.map((content) => chunk({ content })),
    ...(answer.refusal === undefined ? [] : [chunk({ refusal: answer.refusal })]),
    chunk({}, answer.finishReason),
    ...(usage === undefined ? [] : [{ ...base, object: "chat.completion.chunk", choices: [], usage }]),
  ];
  const events = [...chunks.map((item) => JSON.stringify(item)), "[DONE]"].map((data) => `data: ${data}\n\n`);
  return { status: 200, headers: { "content-type": "text/event-stream" }, body: events.join("") };
}
