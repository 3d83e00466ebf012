import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type ErrorCode, SluiceError } from "../core/index.ts";
import { createFakeRun } from "./fixtures/fake-run.ts";
import { createGateway, type HostedModelSpec, type ModelFetch, resolveModels } from "./index.ts";
import {
  anthropicAnswer,
  openaiAnswer,
  type ProviderStandIn,
  startProviderStandIn,
  type StandInReply,
} from "./fixtures/provider-stand-in.ts";

const prompt = "PLANTED-PROMPT";
let standIn: ProviderStandIn;
beforeAll(async () => void (standIn = await startProviderStandIn()));
afterAll(() => standIn.close());
beforeEach(() => void (standIn.seen.length = 0));

/** Asks once, without a second attempt of the engine, and gives the error with what was recorded. */
async function fail(
  provider: HostedModelSpec["provider"],
  reply: StandInReply,
  more: { timeoutMs?: number; fetch?: ModelFetch } = {},
) {
  standIn.replies = [reply];
  const run = createFakeRun({ maxAttempts: 1 });
  const { timeoutMs = 5000, fetch: through = fetch } = more;
  const config = { fast: { provider, model: "some-model", baseUrl: standIn.baseUrl, timeoutMs } };
  const models = await resolveModels({ config, environment: {}, fetch });
  const access = { fetch: through, resolveSecret: () => "sk-planted" };
  const { ai } = createGateway({ models, journalFor: () => run.journal, ...access });
  const request = { instructions: "Analyse.", send: { message: prompt }, schema: z.object({ a: z.string() }) };
  const error: unknown = await run.within(() => ai.object("analyse", request)).catch((thrown: unknown) => thrown);
  if (!(error instanceof SluiceError)) throw new Error("no SluiceError was thrown", { cause: error });
  return { error, calls: run.calls };
}

const openaiError = (
  status: number,
  code: string | null,
  message: string,
  type = "invalid_request_error",
): StandInReply => ({
  status,
  body: JSON.stringify({ error: { message, type, param: null, code } }),
});
const anthropicError = (status: number, type: string, message: string): StandInReply => ({
  status,
  body: JSON.stringify({ type: "error", error: { type, message }, request_id: "req_1" }),
});
const rateLimit = openaiError(429, "rate_limit_exceeded", "Rate limit reached", "tokens");
const inTwoMinutes = () => new Date(Date.now() + 120_000);

interface Row {
  readonly what: string;
  readonly provider?: HostedModelSpec["provider"];
  readonly reply: StandInReply;
  readonly code: ErrorCode;
  /** Bounds of the announced wait; absent: no wait is announced. */
  readonly waitMs?: readonly [least: number, most: number];
}

const withHeaders = (headers: Record<string, string>): StandInReply => ({ ...rateLimit, headers });
const exactly = (ms: number) => [ms, ms] as const;
const about2Minutes = [117_000, 121_000] as const;

const table: readonly Row[] = [
  { what: "429 without any header", reply: rateLimit, code: "MODEL_RATE_LIMITED" },
  {
    what: "429 with retry-after in seconds",
    reply: withHeaders({ "retry-after": "20" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: exactly(20_000),
  },
  {
    what: "429 with retry-after of an hour",
    reply: withHeaders({ "retry-after": "3600" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: exactly(3_600_000),
  },
  {
    what: "429 with retry-after as a date",
    reply: withHeaders({ "retry-after": inTwoMinutes().toUTCString() }),
    code: "MODEL_RATE_LIMITED",
    waitMs: about2Minutes,
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
    waitMs: exactly(1234),
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
    waitMs: exactly(360_000),
  },
  {
    what: "429 with a reset in milliseconds",
    reply: withHeaders({ "x-ratelimit-reset-requests": "20ms" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: exactly(20),
  },
  {
    what: "429 with Cohere's reset",
    reply: withHeaders({ "X-RateLimit-Reset": "7" }),
    code: "MODEL_RATE_LIMITED",
    waitMs: exactly(7000),
  },
  {
    what: "429 with Anthropic's reset",
    provider: "anthropic",
    reply: {
      ...anthropicError(429, "rate_limit_error", "too many"),
      headers: {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": inTwoMinutes().toISOString(),
      },
    },
    code: "MODEL_RATE_LIMITED",
    waitMs: about2Minutes,
  },
  {
    what: "429 with Gemini's retryDelay, though it speaks of quota",
    provider: "openai-compatible",
    reply: {
      status: 429,
      body: JSON.stringify([
        {
          error: {
            code: 429,
            message: "You exceeded your current quota, please check your plan and billing details.",
            status: "RESOURCE_EXHAUSTED",
            details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.5s" }],
          },
        },
      ]),
    },
    code: "MODEL_RATE_LIMITED",
    waitMs: exactly(34_500),
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
    waitMs: exactly(3000),
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
  { what: "empty content", reply: openaiAnswer("  "), code: "MODEL_UNAVAILABLE" },
  { what: "null content", reply: openaiAnswer(null), code: "MODEL_UNAVAILABLE" },
  { what: "empty content of Anthropic", provider: "anthropic", reply: anthropicAnswer(""), code: "MODEL_UNAVAILABLE" },
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
    what: "llama.cpp's context overflow",
    provider: "openai-compatible",
    reply: {
      status: 400,
      body: JSON.stringify({
        error: {
          code: 400,
          message: "the request exceeds the available context size",
          type: "exceed_context_size_error",
        },
      }),
    },
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
    what: "a model taken out of service with 400",
    provider: "openai-compatible",
    reply: openaiError(400, "model_decommissioned", "The model has been decommissioned"),
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
    what: "finish reason content_filter",
    reply: openaiAnswer("", { finish: "content_filter" }),
    code: "MODEL_REFUSED",
  },
  {
    what: "a refusal of OpenAI",
    reply: openaiAnswer(null, { refusal: "I'm sorry, I cannot help with that." }),
    code: "MODEL_REFUSED",
  },
  {
    what: "a refusal of Anthropic",
    provider: "anthropic",
    reply: anthropicAnswer("", "refusal"),
    code: "MODEL_REFUSED",
  },
  { what: "finish reason length", reply: openaiAnswer('{"a":"b"}', { finish: "length" }), code: "OUTPUT_TRUNCATED" },
  {
    what: "finish reason max_tokens",
    provider: "anthropic",
    reply: anthropicAnswer('{"a":"b"}', "max_tokens"),
    code: "OUTPUT_TRUNCATED",
  },
  {
    what: "400 of another kind",
    reply: openaiError(400, "invalid_value", "Invalid value"),
    code: "MODEL_REQUEST_REJECTED",
  },
  { what: "422", reply: openaiError(422, null, "unprocessable"), code: "MODEL_REQUEST_REJECTED" },
];

describe("what a model call can answer", () => {
  test.each(table)("$what: $code", async ({ provider = "openai", reply, code, waitMs }) => {
    const { error, calls } = await fail(provider, reply);
    expect(error.code).toBe(code);
    // An announced wait is above 0, so 0 stands for none.
    const [least, most] = waitMs ?? exactly(0);
    expect(error.retryAfterMs ?? 0).toBeGreaterThanOrEqual(least);
    expect(error.retryAfterMs ?? 0).toBeLessThanOrEqual(most);
    // The provider's package must not try again by itself; a cut answer is asked for once more by us.
    expect(standIn.seen).toHaveLength(code === "OUTPUT_TRUNCATED" ? 2 : 1);
    expect(calls.map(({ status }) => status)).not.toContain("intent");
    expect(calls.at(-1)).toMatchObject({ status: "failed", error: { code } });
    const shown = JSON.stringify([error, String(error.stack), String(error.cause)]);
    expect(shown).not.toMatch(/PLANTED-PROMPT|sk-planted/);
  });

  test("a silent server is a timeout, whose cost is unknown", async () => {
    const { error, calls } = await fail("openai", { silent: true }, { timeoutMs: 80 });
    expect(error).toMatchObject({ code: "MODEL_TIMEOUT", retryable: true });
    expect(error.message).toContain("within 80 ms");
    expect(calls).toMatchObject([{ costMicroUsd: null, inputTokens: null }]);
  });

  test("a request that was turned away cost nothing", async () => {
    const { calls } = await fail("openai", rateLimit);
    expect(calls).toMatchObject([{ costMicroUsd: 0 }]);
  });

  test("nobody listens: not available", async () => {
    const gone = await startProviderStandIn();
    await gone.close();
    const { error } = await fail("openai", {}, { fetch: (_, init) => fetch(`${gone.baseUrl}/x`, init) });
    expect(error).toMatchObject({ code: "MODEL_UNAVAILABLE", retryable: true });
    expect(error.message).toContain("ECONNREFUSED");
  });

  test.each([
    ["EGRESS_TIMEOUT", "MODEL_TIMEOUT"],
    ["EGRESS_FAILED", "MODEL_UNAVAILABLE"],
    ["EGRESS_REFUSED", "EGRESS_REFUSED"],
    ["RESPONSE_TOO_LARGE", "RESPONSE_TOO_LARGE"],
  ] as const)("%s of the guarded fetch is %s", async (thrown, code) => {
    const refused = () => Promise.reject(new SluiceError(thrown, { message: "as the guard says" }));
    const { error } = await fail("anthropic", {}, { fetch: refused });
    expect(error.code).toBe(code);
    expect(error.message).toContain("as the guard says");
  });

  test("context overflow tells the size, authentication what was refused", async () => {
    const overflow = await fail("openai", openaiError(400, "context_length_exceeded", "too long"));
    expect(overflow.error.details).toMatchObject({ status: 400, inputTokensAtMost: expect.any(Number) as number });
    const refused = await fail("openai", openaiError(401, "invalid_api_key", "x"));
    expect(refused.error.message).toContain("invalid_api_key");
  });

  test("a retryable failure is tried again by the engine, with a new record each time", async () => {
    standIn.replies = [rateLimit, openaiAnswer('{"a":"b"}')];
    const run = createFakeRun();
    const config = { fast: { provider: "openai", model: "m", baseUrl: standIn.baseUrl } as const };
    const models = await resolveModels({ config, environment: {}, fetch });
    const { ai } = createGateway({ models, journalFor: () => run.journal, fetch, resolveSecret: () => "k" });
    await run.within(() => ai.object("a", { instructions: "i", send: {}, schema: z.object({ a: z.string() }) }));
    expect(run.steps[0]?.failures.map(({ code }) => code)).toEqual(["MODEL_RATE_LIMITED"]);
    expect(run.calls.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, "failed"],
      [2, "succeeded"],
    ]);
  });
});
