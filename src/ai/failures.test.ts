import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SluiceError } from "../core/index.ts";
import { expectedOf, failedAt, failureOf, type FailureRow, openaiError, outcomeOf } from "./fixtures/failing-call.ts";
import {
  jsonAnswer,
  openaiAnswer,
  type ProviderStandIn,
  startProviderStandIn,
  type StandInReply,
} from "./fixtures/provider-stand-in.ts";

let standIn: ProviderStandIn;
beforeAll(async () => void (standIn = await startProviderStandIn()));
afterAll(() => standIn.close());

const anthropicError = (status: number, type: string, message: string) =>
  jsonAnswer({ type: "error", error: { type, message }, request_id: "req_1" }, status);
const rateLimit = openaiError(429, "rate_limit_exceeded", "Rate limit reached", "tokens");
const inTwoMinutes = new Date(failedAt.getTime() + 120_000);
/** As good answers have it as well. */
const wholeInAMinute = { "x-ratelimit-remaining-tokens": "900", "x-ratelimit-reset-tokens": "1m0s" };
const withHeaders = (headers: Record<string, string>): StandInReply => ({ ...rateLimit, headers });

const table: readonly FailureRow[] = [
  { what: "429 without any header", reply: rateLimit, code: "MODEL_RATE_LIMITED" },
  {
    what: "429 with retry-after in seconds",
    reply: withHeaders({ "retry-after": "20" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: 20_000,
  },
  {
    what: "429 with retry-after of an hour",
    reply: withHeaders({ "retry-after": "3600" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: 3_600_000,
  },
  {
    what: "429 with retry-after as a date",
    reply: withHeaders({ "retry-after": inTwoMinutes.toUTCString() }),
    code: "MODEL_RATE_LIMITED",
    waitMs: 120_000,
  },
  {
    what: "429 with a date gone by",
    reply: withHeaders({ "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }),
    code: "MODEL_RATE_LIMITED",
  },
  {
    what: "429 with retry-after 0, as Azure",
    reply: withHeaders({ "retry-after": "0", "retry-after-ms": "0" }),
    code: "MODEL_RATE_LIMITED",
  },
  {
    what: "429 with retry-after that is no number",
    reply: withHeaders({ "retry-after": "soon" }),
    code: "MODEL_RATE_LIMITED",
  },
  {
    what: "429 with retry-after-ms",
    reply: withHeaders({ "retry-after-ms": "1234", "retry-after": "2" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: 1234,
  },
  {
    what: "429 with OpenAI's reset of the used-up limit",
    reply: withHeaders({
      "x-ratelimit-remaining-requests": "99",
      "x-ratelimit-reset-requests": "8h0m0s",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "6m0s",
    }),
    code: "MODEL_RATE_LIMITED",
    waitMs: 360_000,
  },
  {
    what: "429 with a reset in milliseconds",
    reply: withHeaders({ "x-ratelimit-reset-requests": "20ms" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: 20,
  },
  {
    what: "429 with Cohere's reset",
    reply: withHeaders({ "X-RateLimit-Reset": "7" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: 7000,
  },
  {
    what: "429 with Anthropic's reset",
    provider: "anthropic",
    reply: {
      ...anthropicError(429, "rate_limit_error", "too many"),
      headers: {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": inTwoMinutes.toISOString(),
      },
    },
    code: "MODEL_RATE_LIMITED",
    waitMs: 120_000,
  },
  {
    what: "exhausted quota",
    reply: openaiError(429, "insufficient_quota", "You exceeded your current quota", "insufficient_quota"),
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  {
    what: "exhausted quota that names a wait",
    reply: { ...openaiError(429, "insufficient_quota", "x"), headers: { "retry-after": "5" } },
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  { what: "402", reply: openaiError(402, null, "Payment required"), code: "MODEL_QUOTA_EXHAUSTED" },
  {
    what: "Anthropic without credit",
    provider: "anthropic",
    reply: anthropicError(400, "invalid_request_error", "Your credit balance is too low to access the API"),
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  {
    what: "Anthropic without credit, with limits",
    provider: "anthropic",
    reply: {
      ...anthropicError(400, "invalid_request_error", "Your credit balance is too low to access the API"),
      headers: {
        "anthropic-ratelimit-tokens-remaining": "900",
        "anthropic-ratelimit-tokens-reset": inTwoMinutes.toISOString(),
      },
    },
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  {
    what: "Anthropic's spending limit",
    provider: "anthropic",
    reply: anthropicError(400, "invalid_request_error", "You have reached your specified API usage limits."),
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  { what: "500", reply: openaiError(500, null, "The server had an error", "server_error"), code: "MODEL_UNAVAILABLE" },
  { what: "502 with a web page", reply: { status: 502, body: "<html>Bad Gateway</html>" }, code: "MODEL_UNAVAILABLE" },
  {
    what: "503 that names a wait",
    reply: { ...openaiError(503, null, "x"), headers: { "retry-after": "3" } },
    code: "MODEL_UNAVAILABLE",
    waitMs: 3000,
  },
  {
    what: "503 that tells when its limits are whole again",
    reply: { ...openaiError(503, null, "x"), headers: wholeInAMinute },
    code: "MODEL_UNAVAILABLE",
  },
  {
    what: "200 of another shape that tells when its limits are whole again",
    reply: { body: JSON.stringify({ said: "Please try again in 20s." }), headers: wholeInAMinute },
    code: "MODEL_UNAVAILABLE",
  },
  { what: "504 without a body", reply: { status: 504 }, code: "MODEL_UNAVAILABLE" },
  {
    what: "529 overloaded",
    provider: "anthropic",
    reply: anthropicError(529, "overloaded_error", "Overloaded"),
    code: "MODEL_UNAVAILABLE",
  },
  { what: "a connection reset", reply: { breakOff: "before" }, code: "MODEL_UNAVAILABLE" },
  {
    what: "a body that breaks off",
    reply: { ...openaiAnswer('{"a":"x"}'), breakOff: "within" },
    code: "MODEL_UNAVAILABLE",
  },
  {
    what: "a body that ends too early",
    reply: { body: '{"id":"chatcmpl-1","choices":[{"mess' },
    code: "MODEL_UNAVAILABLE",
  },
  { what: "a web page with 200", reply: { body: "<!doctype html><title>Sign in</title>" }, code: "MODEL_UNAVAILABLE" },
  { what: "an error with 200", reply: openaiError(200, null, "upstream failed"), code: "MODEL_UNAVAILABLE" },
  { what: "200 without a body", reply: {}, code: "MODEL_UNAVAILABLE" },
  {
    what: "no choice",
    reply: { body: JSON.stringify({ id: "x", object: "chat.completion", created: 1, model: "m", choices: [] }) },
    code: "MODEL_UNAVAILABLE",
  },
  {
    what: "401",
    reply: openaiError(401, "invalid_api_key", "Incorrect API key provided: sk-planted"),
    code: "MODEL_AUTH_FAILED",
  },
  {
    what: "401 of Anthropic",
    provider: "anthropic",
    reply: anthropicError(401, "authentication_error", "invalid x-api-key"),
    code: "MODEL_AUTH_FAILED",
  },
  { what: "403", reply: openaiError(403, "unsupported_country_region_territory", "no"), code: "MODEL_AUTH_FAILED" },
  {
    what: "OpenAI's context overflow",
    reply: openaiError(400, "context_length_exceeded", "This model's maximum context length is 8192 tokens"),
    code: "MODEL_CONTEXT_EXCEEDED",
  },
  {
    what: "Anthropic's context overflow",
    provider: "anthropic",
    reply: anthropicError(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    code: "MODEL_CONTEXT_EXCEEDED",
  },
  {
    what: "413",
    provider: "anthropic",
    reply: anthropicError(413, "request_too_large", "too large"),
    code: "MODEL_CONTEXT_EXCEEDED",
  },
  {
    what: "OpenAI's retired model",
    reply: openaiError(404, "model_not_found", "The model `x` does not exist"),
    code: "MODEL_RETIRED",
  },
  {
    what: "Anthropic's retired model",
    provider: "anthropic",
    reply: anthropicError(404, "not_found_error", "model: claude-2"),
    code: "MODEL_RETIRED",
  },
  {
    what: "404 of something that is no model server",
    reply: { status: 404, body: "<html>Not found</html>" },
    code: "MODEL_REQUEST_REJECTED",
  },
  {
    what: "Azure's content filter",
    reply: openaiError(400, "content_filter", "The response was filtered"),
    code: "MODEL_REFUSED",
  },
  {
    what: "a model that OpenAI does not let the key use",
    reply: openaiError(403, "model_not_found", "Project does not have access to model"),
    code: "MODEL_RETIRED",
  },
  {
    what: "OpenAI's usage policy",
    reply: openaiError(400, "invalid_prompt", "Your prompt was flagged as potentially violating our usage policy."),
    code: "MODEL_REFUSED",
  },
  {
    what: "Anthropic's content filter",
    provider: "anthropic",
    reply: anthropicError(400, "invalid_request_error", "Output blocked by content filtering policy"),
    code: "MODEL_REFUSED",
  },
  {
    what: "Anthropic's billing",
    provider: "anthropic",
    reply: anthropicError(402, "billing_error", "x"),
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  {
    what: "Anthropic's own timeout",
    provider: "anthropic",
    reply: anthropicError(504, "timeout_error", "x"),
    code: "MODEL_UNAVAILABLE",
  },
  {
    what: "400 of another kind",
    reply: openaiError(400, "invalid_value", "Invalid value"),
    code: "MODEL_REQUEST_REJECTED",
  },
  { what: "422", reply: openaiError(422, null, "unprocessable"), code: "MODEL_REQUEST_REJECTED" },
];

describe("what a model call can answer", () => {
  test.each(table)("$what: $code", async (row) => {
    expect(await outcomeOf(standIn, row)).toEqual(expectedOf(row));
  });

  test("nobody listens: not available", async () => {
    const gone = await startProviderStandIn();
    await gone.close();
    const error = await failureOf(standIn, { reply: {} }, (_, init) => fetch(`${gone.baseUrl}/x`, init));
    expect(error).toMatchObject({ code: "MODEL_UNAVAILABLE", retryable: true });
    expect(error.message).toContain("ECONNREFUSED");
  });

  test.each([
    ["EGRESS_TIMEOUT", "MODEL_TIMEOUT"],
    ["EGRESS_FAILED", "MODEL_UNAVAILABLE"],
    ["EGRESS_REFUSED", "EGRESS_REFUSED"],
    ["RESPONSE_TOO_LARGE", "RESPONSE_TOO_LARGE"],
  ] as const)("%s of the guarded fetch is %s, and whether it was sent is still known", async (thrown, code) => {
    const refused = () =>
      Promise.reject(new SluiceError(thrown, { message: "as the guard says", details: { sent: "no" } }));
    const error = await failureOf(standIn, { provider: "anthropic", reply: {} }, refused);
    expect(error).toMatchObject({ code, details: { sent: "no" } });
    expect(error.message).toContain("as the guard says");
  });

  test("context overflow tells the size, authentication what was refused", async () => {
    const overflow = await failureOf(standIn, { reply: openaiError(400, "context_length_exceeded", "too long") });
    expect(overflow.details).toMatchObject({ status: 400, inputTokensAtMost: 400 });
    const refused = await failureOf(standIn, { reply: openaiError(401, "invalid_api_key", "x") });
    expect(refused.message).toContain("invalid_api_key");
  });

  test("a refusal tells the limits of its headers, so that they can be kept", async () => {
    const headers = {
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "1s",
    };
    const error = await failureOf(standIn, { reply: { ...rateLimit, headers } });
    expect(error.details).toMatchObject({ limits: [{ kind: "requests", limit: 60, remaining: 0, resetMs: 1000 }] });
  });

  test.each([
    ["The model `gpt-4-32k` has been deprecated. Use gpt-4.1-mini instead.", "gpt-4.1-mini"],
    ["model: claude-2 was retired; please migrate to 'claude-haiku-4-5'.", "claude-haiku-4-5"],
    ["The model `x` does not exist or you do not have access to it.", undefined],
    ["This model was deprecated, see how to use https://example.com/models-2 for more", undefined],
  ])("of a retired model the successor is told when one is named: %s", async (message, successor) => {
    const error = await failureOf(standIn, { reply: openaiError(404, "model_not_found", message) });
    expect(error.code).toBe("MODEL_RETIRED");
    expect((error.details as { successor?: string }).successor).toBe(successor);
  });
});
