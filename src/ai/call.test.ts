import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SluiceError } from "../core/index.ts";
import { callModel, type ModelAnswer, type ModelCall } from "./call.ts";
import { callOf, specAt } from "./fixtures/call-of.ts";
import {
  anthropicAnswer,
  anthropicPiece,
  jsonAnswer,
  openaiAnswer,
  openaiPiece,
  type ProviderStandIn,
  startProviderStandIn,
  type StandInReply,
} from "./fixtures/provider-stand-in.ts";
import type { HostedModelSpec } from "./index.ts";
import { usageOfFailure } from "./usage.ts";

let standIn: ProviderStandIn;
beforeAll(async () => void (standIn = await startProviderStandIn()));
afterAll(() => standIn.close());
beforeEach(() => void (standIn.seen.length = 0));

/** Answers of a stand-in to one call. */
function ask(
  reply: StandInReply,
  spec: Partial<HostedModelSpec> = {},
  more: Partial<ModelCall> = {},
): Promise<ModelAnswer> {
  standIn.replies = [reply];
  return callModel(callOf(specAt(standIn.baseUrl, spec.provider ?? "openai", spec), more));
}

async function failure(asking: Promise<unknown>): Promise<SluiceError> {
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  if (error instanceof SluiceError) return error;
  throw new Error("no SluiceError was thrown", { cause: error });
}

const sentBody = () => JSON.parse(standIn.seen[0]?.body ?? "") as { readonly [key: string]: unknown };
const hello = [
  openaiPiece("Hel"),
  openaiPiece("lo"),
  openaiPiece(null, { finish: "stop", usage: true }),
  "data: [DONE]\n\n",
];

describe("an answer in one piece", () => {
  test("comes with usage and headers, whatever the package makes of them", async () => {
    const body = JSON.parse(openaiAnswer('{"a":"b"}').body ?? "") as { usage: object };
    body.usage = {
      prompt_tokens: 1000,
      completion_tokens: 100,
      prompt_tokens_details: { cached_tokens: 400 },
      completion_tokens_details: { reasoning_tokens: 30 },
    };
    const answer = await ask({ ...jsonAnswer(body), headers: { "X-RateLimit-Limit-Requests": "60" } });
    expect(answer).toMatchObject({ text: '{"a":"b"}', finish: "complete" });
    expect(answer.usage).toEqual({
      inputTokens: 1000,
      outputTokens: 100,
      cachedInputTokens: 400,
      reasoningTokens: 30,
      estimated: false,
    });
    expect(answer.headers).toMatchObject({ "x-ratelimit-limit-requests": "60" });
  });

  test("of a server that does not say what it used is estimated from the texts, and marked", async () => {
    const body = { ...(JSON.parse(openaiAnswer('{"a":"b"}').body ?? "") as object), usage: undefined };
    const { usage } = await ask(jsonAnswer(body), { provider: "openai-compatible" });
    // 8 + 14 bytes were sent, 9 came back.
    expect(usage).toMatchObject({ inputTokens: 6, outputTokens: 3, estimated: true });
  });

  test.each([
    ["openai", openaiAnswer("", { finish: "content_filter" }), "refused"],
    ["openai", openaiAnswer(null, { refusal: "I cannot help with that." }), "refused"],
    ["openai", openaiAnswer('{"a":"b"}', { finish: "length" }), "length"],
    ["openai-compatible", openaiAnswer("x", { finish: "eos_token" }), "complete"],
    ["anthropic", anthropicAnswer("", "refusal"), "refused"],
    ["anthropic", anthropicAnswer("x", "max_tokens"), "length"],
    ["anthropic", anthropicAnswer("x", "model_context_window_exceeded"), "length"],
  ] as const)("of %s tells why it ended", async (provider, reply, finish) => {
    expect(await ask(reply, { provider })).toMatchObject({ finish });
  });

  test("that the model gave up on is a failure, and what it used is known", async () => {
    const error = await failure(ask(openaiAnswer("half", { finish: "timeout" }), { provider: "openai-compatible" }));
    expect(error).toMatchObject({ code: "MODEL_UNAVAILABLE", retryable: true });
    expect(usageOfFailure(error)).toMatchObject({ inputTokens: 1000, outputTokens: 100, estimated: false });
  });

  test("is asked for exactly once, also when the package wants it continued", async () => {
    const candidate = { content: { parts: [{ text: "half" }] }, finishReason: "CONTINUATION", continuationToken: "t" };
    const error = await failure(ask(jsonAnswer({ candidates: [candidate] }), { provider: "google" }));
    expect(error.message).toContain("second request");
    expect(standIn.seen).toHaveLength(1);
  });
});

describe("the request", () => {
  test("goes without the schema to a server that takes none", async () => {
    await ask(openaiAnswer("{}"), { provider: "openai-compatible", structuredOutput: false });
    expect(sentBody()).not.toHaveProperty("response_format");
  });

  test("takes images and PDFs along", async () => {
    const files = [
      { mediaType: "image/png", data: "aGVsbG8=" },
      { mediaType: "application/pdf", data: "JVBERi0=", name: "offer.pdf" },
    ];
    const { request } = callOf(specAt("", "openai"));
    await ask(openaiAnswer("{}"), {}, { request: { ...request, files } });
    expect(JSON.stringify(sentBody())).toMatch(
      /data:image\/png;base64,aGVsbG8=.*offer\.pdf.*data:application\/pdf;base64,JVBERi0=/,
    );
  });

  test.each([
    ["openai-compatible", "image/png", {}],
    ["cohere", "application/pdf", {}],
    ["openai", "video/mp4", {}],
    ["openai", "application/pdf", { inputs: ["image"] }],
  ] as const)("to %s with a file of %s is refused before it leaves", async (provider, mediaType, more) => {
    const { request } = callOf(specAt("", provider));
    const files = [{ mediaType, data: "aGVsbG8=", name: "x" }];
    const error = await failure(ask(openaiAnswer("{}"), { provider, ...more }, { request: { ...request, files } }));
    expect(error).toMatchObject({ code: "MODEL_INPUT_UNSUPPORTED", retryable: false });
    expect(standIn.seen).toHaveLength(0);
  });
});

describe("an answer as a stream", () => {
  test("is given piece by piece and as a whole", async () => {
    const pieces: string[] = [];
    const answer = await ask({ pieces: hello }, {}, { onText: (piece) => pieces.push(piece) });
    expect(pieces).toEqual(["Hel", "lo"]);
    expect(answer).toMatchObject({
      text: "Hello",
      finish: "complete",
      usage: { inputTokens: 1000, outputTokens: 100, estimated: false },
    });
    expect(sentBody()).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  test("is taken where the model is configured so, also of Anthropic", async () => {
    const usage = { input_tokens: 1000, output_tokens: 1 };
    const message = {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    };
    const pieces = [
      anthropicPiece({ type: "message_start", message }),
      anthropicPiece({ type: "ping" }),
      anthropicPiece({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      anthropicPiece({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } }),
      anthropicPiece({ type: "content_block_stop", index: 0 }),
      anthropicPiece({
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 100 },
      }),
      anthropicPiece({ type: "message_stop" }),
    ];
    const answer = await ask({ pieces }, { provider: "anthropic", stream: true });
    expect(answer).toMatchObject({ text: "Hello", usage: { inputTokens: 1000, outputTokens: 100 } });
  });

  test.each([
    ["by the connection", { pieces: hello.slice(0, 2), ending: "break" }],
    ["by a clean end", { pieces: hello.slice(0, 2) }],
    ["by the end of the stream's own words", { pieces: [...hello.slice(0, 2), "data: [DONE]\n\n"] }],
  ] as const)("that is cut %s is never used; what it cost is estimated", async (_, reply) => {
    for (const provider of ["openai", "azure", "openai-compatible", "mistral"] as const) {
      const error = await failure(ask(reply, { provider, stream: true }));
      expect([provider, error.code]).toEqual([provider, "MODEL_UNAVAILABLE"]);
      expect(JSON.stringify(error)).not.toContain("Hello");
    }
  });

  test("that breaks off tells what it used, by estimate", async () => {
    const error = await failure(ask({ pieces: hello.slice(0, 2), ending: "break" }, { stream: true }));
    expect(usageOfFailure(error)).toMatchObject({ inputTokens: 6, outputTokens: 2, estimated: true });
  });

  test.each([
    ["before the first word", [], { firstTokenTimeoutMs: 40 }, "first piece of the answer within 40 ms"],
    ["between words", hello.slice(0, 1), { idleTimeoutMs: 40 }, "next piece of the answer within 40 ms"],
    ["and goes over the time for the whole", hello.slice(0, 1), { timeoutMs: 80 }, "answer within 80 ms"],
  ] as const)("that falls silent %s is given up", async (_, pieces, limits, what) => {
    const error = await failure(ask({ pieces, ending: "silence" }, { stream: true, ...limits }));
    expect(error).toMatchObject({ code: "MODEL_TIMEOUT", retryable: true });
    expect(error.message).toContain(what);
    expect(usageOfFailure(error)).toMatchObject({ inputTokens: 6, estimated: true });
  });

  test("may think longer than the idle time, as long as something comes", async () => {
    const ping = anthropicPiece({ type: "ping" });
    const error = await failure(
      ask(
        { pieces: [ping, ping], ending: "silence" },
        { provider: "anthropic", stream: true, firstTokenTimeoutMs: 60, idleTimeoutMs: 5 },
      ),
    );
    expect(error.message).toContain("first piece");
  });

  test.each([
    [
      "openai",
      `data: ${JSON.stringify({ error: { message: "x", type: "server_error", code: null } })}\n\n`,
      "MODEL_UNAVAILABLE",
    ],
    [
      "openai",
      `data: ${JSON.stringify({ error: { message: "x", type: "tokens", code: "rate_limit_exceeded" } })}\n\n`,
      "MODEL_RATE_LIMITED",
    ],
    [
      "openai",
      `data: ${JSON.stringify({ error: { message: "x", type: "x", code: "insufficient_quota" } })}\n\n`,
      "MODEL_QUOTA_EXHAUSTED",
    ],
    [
      "anthropic",
      anthropicPiece({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
      "MODEL_UNAVAILABLE",
    ],
    [
      "azure",
      `data: ${JSON.stringify({ error: { message: "x", type: "server_error", code: null } })}\n\n`,
      "MODEL_UNAVAILABLE",
    ],
    [
      "openai-compatible",
      `data: ${JSON.stringify({ error: { message: "x", code: 429, type: "rate_limit_error" } })}\n\n`,
      "MODEL_RATE_LIMITED",
    ],
    ["mistral", `data: {"broken`, "MODEL_UNAVAILABLE"],
    [
      "google",
      `data: ${JSON.stringify({ error: { code: 503, message: "x", status: "UNAVAILABLE" } })}\n\n`,
      "MODEL_UNAVAILABLE",
    ],
  ] as const)("of %s that ends with an error is that error", async (provider, piece, code) => {
    const first = provider === "openai" || provider === "azure" ? [openaiPiece("Hel")] : [];
    const error = await failure(ask({ pieces: [...first, piece] }, { provider, stream: true }));
    expect(error.code).toBe(code);
    expect(standIn.seen).toHaveLength(1);
  });

  test("is an error by its status as any other", async () => {
    const error = await failure(
      ask(jsonAnswer({ error: { message: "x", code: "insufficient_quota" } }, 429), { stream: true }),
    );
    expect(error.code).toBe("MODEL_QUOTA_EXHAUSTED");
  });
});

describe("time", () => {
  test("ends a silent request, and says what was waited for", async () => {
    const error = await failure(ask({ silent: true }, { timeoutMs: 60 }));
    expect(error).toMatchObject({ code: "MODEL_TIMEOUT", details: { waitedFor: "answer", afterMs: 60 } });
  });

  test("can be shorter by the call's own deadline, and is not begun when that has passed", async () => {
    const soon = await failure(ask({ silent: true }, {}, { deadline: new Date(Date.now() + 60) }));
    expect(soon.code).toBe("MODEL_TIMEOUT");
    standIn.seen.length = 0;
    const gone = await failure(ask({ silent: true }, {}, { deadline: new Date(Date.now() - 1) }));
    expect(gone.code).toBe("MODEL_TIMEOUT");
    expect(standIn.seen).toHaveLength(0);
  });

  test("lets the caller go, but what a late answer cost is still learned", async () => {
    const late = Promise.withResolvers<ModelAnswer>();
    const reply = { ...openaiAnswer('{"a":"b"}'), afterMs: 90 };
    const error = await failure(ask(reply, { timeoutMs: 40 }, { onLate: late.resolve }));
    expect(error.code).toBe("MODEL_TIMEOUT");
    expect((await late.promise).usage).toMatchObject({ inputTokens: 1000, outputTokens: 100 });
  });

  test("is over at once when the run is stopped, with the reason of the stop", async () => {
    const stop = new AbortController();
    const asking = ask({ silent: true }, {}, { stop: stop.signal });
    const reason = new SluiceError("RUN_CANCELLED", { message: "run was cancelled" });
    setTimeout(() => stop.abort(reason), 20);
    await expect(asking).rejects.toBe(reason);
    await expect(ask({ silent: true }, {}, { stop: stop.signal })).rejects.toBe(reason);
  });

  test("holds for the simulated model as well", async () => {
    const simulated = { provider: "simulated", latencyMs: 60_000 } as const;
    const deadline = new Date(Date.now() + 30);
    const error = await failure(callModel(callOf(simulated, { deadline })));
    expect(error.code).toBe("MODEL_TIMEOUT");
  });
});

test("the simulated model streams its answer as one piece and says what it used", async () => {
  const pieces: string[] = [];
  const call = callOf({ provider: "simulated" }, { onText: (piece) => pieces.push(piece) });
  const answer = await callModel(call);
  expect(pieces).toEqual([answer.text]);
  expect(answer.usage).toMatchObject({ estimated: false, reasoningTokens: 0 });
  expect(answer.headers).toEqual({});
});
