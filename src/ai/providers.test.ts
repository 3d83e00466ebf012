import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { callModel } from "./call.ts";
import { embedTexts, textsPerRequest } from "./embed.ts";
import { callOf, objectSchema, plantedPrompt, specAt } from "./fixtures/call-of.ts";
import {
  anthropicAnswer,
  jsonAnswer,
  openaiAnswer,
  type ProviderStandIn,
  startProviderStandIn,
  type StandInReply,
} from "./fixtures/provider-stand-in.ts";
import type { HostedModelSpec } from "./index.ts";
import { isInstalled, loadPeer } from "./provider-peers.ts";
import { rerankDocuments } from "./rerank.ts";

let standIn: ProviderStandIn;
beforeAll(async () => void (standIn = await startProviderStandIn()));
afterAll(() => standIn.close());
beforeEach(() => void (standIn.seen.length = 0));

interface Provider {
  readonly provider: HostedModelSpec["provider"];
  readonly more?: Partial<HostedModelSpec>;
  /** An answer of 1,000 input and 100 output tokens. */
  readonly reply: (text: string) => StandInReply;
  readonly path: string;
  readonly auth: readonly [header: string, value: string | RegExp];
}

const responsesAnswer = (text: string) =>
  jsonAnswer({
    id: "resp_1",
    object: "response",
    created_at: 1_700_000_000,
    status: "completed",
    model: "m",
    output: [
      {
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text, annotations: [] }],
      },
    ],
    usage: { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 },
  });

const geminiAnswer = (text: string) =>
  jsonAnswer({
    candidates: [{ content: { role: "model", parts: [{ text }] }, finishReason: "STOP", index: 0 }],
    usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 90, thoughtsTokenCount: 10, totalTokenCount: 1100 },
  });

const converseAnswer = (text: string) =>
  jsonAnswer({
    output: { message: { role: "assistant", content: [{ text }] } },
    stopReason: "end_turn",
    usage: { inputTokens: 1000, outputTokens: 100, totalTokens: 1100 },
    metrics: { latencyMs: 1 },
  });

const cohereAnswer = (text: string) =>
  jsonAnswer({
    id: "c1",
    finish_reason: "COMPLETE",
    message: { role: "assistant", content: [{ type: "text", text }] },
    usage: {
      billed_units: { input_tokens: 1000, output_tokens: 100 },
      tokens: { input_tokens: 1000, output_tokens: 100 },
    },
  });

const providers: readonly Provider[] = [
  {
    provider: "openai",
    reply: openaiAnswer,
    path: "/v1/chat/completions",
    auth: ["authorization", "Bearer planted-OPENAI_API_KEY"],
  },
  {
    provider: "openai",
    more: { api: "responses" },
    reply: responsesAnswer,
    path: "/v1/responses",
    auth: ["authorization", "Bearer planted-OPENAI_API_KEY"],
  },
  {
    provider: "anthropic",
    reply: anthropicAnswer,
    path: "/v1/messages",
    auth: ["x-api-key", "planted-ANTHROPIC_API_KEY"],
  },
  {
    provider: "google",
    reply: geminiAnswer,
    path: "/v1/models/some-model:generateContent",
    auth: ["x-goog-api-key", "planted-GEMINI_API_KEY"],
  },
  {
    provider: "azure",
    reply: openaiAnswer,
    path: "/v1/chat/completions",
    auth: ["api-key", "planted-AZURE_OPENAI_API_KEY"],
  },
  {
    provider: "azure",
    more: { api: "responses" },
    reply: responsesAnswer,
    path: "/v1/responses",
    auth: ["api-key", "planted-AZURE_OPENAI_API_KEY"],
  },
  {
    provider: "bedrock",
    reply: converseAnswer,
    path: "/v1/model/some-model/converse",
    auth: ["authorization", /^AWS4-HMAC-SHA256 Credential=planted-AWS_ACCESS_KEY_ID\/\d{8}\/eu-central-1\/bedrock\//],
  },
  {
    provider: "bedrock",
    more: { apiKey: { secret: "BEDROCK" } },
    reply: converseAnswer,
    path: "/v1/model/some-model/converse",
    auth: ["authorization", "Bearer planted-BEDROCK"],
  },
  {
    provider: "mistral",
    reply: openaiAnswer,
    path: "/v1/chat/completions",
    auth: ["authorization", "Bearer planted-MISTRAL_API_KEY"],
  },
  {
    provider: "cohere",
    reply: cohereAnswer,
    path: "/v1/chat",
    auth: ["authorization", "Bearer planted-COHERE_API_KEY"],
  },
  {
    provider: "openai-compatible",
    more: { apiKey: { secret: "OWN" } },
    reply: openaiAnswer,
    path: "/v1/chat/completions",
    auth: ["authorization", "Bearer planted-OWN"],
  },
];

describe("every provider", () => {
  test.each(providers)(
    "$provider answers with data of a schema: $path",
    async ({ provider, more, reply, path, auth }) => {
      standIn.replies = [reply('{"a":"b"}')];
      const answer = await callModel(callOf(specAt(standIn.baseUrl, provider, more)));
      expect(answer).toMatchObject({ text: '{"a":"b"}', finish: "complete" });
      expect(answer.usage).toMatchObject({ inputTokens: 1000, outputTokens: 100, estimated: false });
      const [seen] = standIn.seen;
      expect(seen?.path).toBe(path);
      expect(seen?.headers[auth[0]]).toMatch(auth[1]);
      expect(seen?.body).toContain(plantedPrompt);
      expect(seen?.body).toContain(JSON.stringify(objectSchema.properties.a).slice(1, -1));
    },
  );

  test.each(providers)("$provider answers in words: $path", async ({ provider, more, reply }) => {
    standIn.replies = [reply("Dear customer, ...")];
    const answer = await callModel(callOf(specAt(standIn.baseUrl, provider, more), { prompt: { schema: null } }));
    expect(answer).toMatchObject({ text: "Dear customer, ...", finish: "complete" });
    expect(standIn.seen[0]?.body).not.toMatch(/json_schema|response_format|responseSchema/);
  });

  test("keeps nothing at OpenAI, and needs no strict schemas of it", async () => {
    standIn.replies = [responsesAnswer("{}")];
    for (const provider of ["openai", "azure"] as const) {
      await callModel(callOf(specAt(standIn.baseUrl, provider, { api: "responses" })));
      expect(JSON.parse(standIn.seen.at(-1)?.body ?? "")).toMatchObject({
        store: false,
        text: { format: { strict: false } },
      });
    }
  });

  test("asks a server without a key without one", async () => {
    standIn.replies = [openaiAnswer("{}")];
    await callModel(callOf(specAt(standIn.baseUrl, "openai-compatible")));
    expect(standIn.seen[0]?.headers).not.toHaveProperty("authorization");
  });
});

const floats = {
  object: "list",
  model: "m",
  data: [
    { object: "embedding", index: 0, embedding: [0.6, 0.8] },
    { object: "embedding", index: 1, embedding: [1, 0] },
  ],
  usage: { prompt_tokens: 7, total_tokens: 7 },
};

describe("vectors", () => {
  const texts = ["one", "two"];
  test.each([
    ["openai", floats, "/v1/embeddings"],
    ["azure", floats, "/v1/embeddings"],
    ["mistral", { ...floats, id: "x" }, "/v1/embeddings"],
    ["openai-compatible", floats, "/v1/embeddings"],
    [
      "cohere",
      {
        id: "x",
        texts,
        embeddings: {
          float: [
            [0.6, 0.8],
            [1, 0],
          ],
        },
        meta: { billed_units: { input_tokens: 7 } },
      },
      "/v1/embed",
    ],
    [
      "bedrock",
      {
        embeddings: {
          float: [
            [0.6, 0.8],
            [1, 0],
          ],
        },
      },
      "/v1/model/cohere.embed-v4%3A0/invoke",
    ],
  ] as const)("of %s come in the order of the texts", async (provider, body, path) => {
    standIn.replies = [{ ...jsonAnswer(body), headers: { "x-amzn-bedrock-input-token-count": "7" } }];
    const model = provider === "bedrock" ? { model: "cohere.embed-v4:0" } : {};
    const spec = specAt(standIn.baseUrl, provider, { kind: "embedding", ...model });
    const answer = await embedTexts({ ...callOf(spec), onLate: undefined, texts });
    expect(answer.vectors).toEqual([
      [0.6, 0.8],
      [1, 0],
    ]);
    expect(answer.usage).toMatchObject({ inputTokens: 7, outputTokens: 0, estimated: false });
    expect(standIn.seen[0]?.path).toBe(path);
  });

  test("of Google come for many texts at once", async () => {
    standIn.replies = [jsonAnswer({ embeddings: [{ values: [0.6, 0.8] }, { values: [1, 0] }] })];
    const spec = specAt(standIn.baseUrl, "google", { kind: "embedding" });
    const { vectors, usage } = await embedTexts({ ...callOf(spec), onLate: undefined, texts });
    expect(vectors).toHaveLength(2);
    expect(usage.estimated).toBe(true);
  });

  test("that do not fit the texts are a failure", async () => {
    standIn.replies = [jsonAnswer(floats)];
    const spec = specAt(standIn.baseUrl, "openai", { kind: "embedding" });
    const asking = embedTexts({ ...callOf(spec), onLate: undefined, texts: ["one"] });
    await expect(asking).rejects.toMatchObject({ code: "MODEL_UNAVAILABLE" });
  });

  test("are asked for in as many requests as the provider needs", async () => {
    const { access } = callOf(specAt("", "openai"));
    expect(await textsPerRequest(specAt("http://x", "cohere"), access)).toBe(96);
    expect(
      await textsPerRequest(specAt("http://x", "bedrock", { model: "amazon.titan-embed-text-v2:0" }), access),
    ).toBe(1);
    expect(await textsPerRequest({ provider: "simulated" }, access)).toBe(Infinity);
  });

  test("of the simulated model are near where texts share words", async () => {
    const call = { ...callOf({ provider: "simulated" }), onLate: undefined };
    const { vectors } = await embedTexts({
      ...call,
      texts: ["holiday request form", "Request a holiday!", "broken printer"],
    });
    const nearness = (one: number, other: number) =>
      (vectors[one] ?? []).reduce((sum, value, at) => sum + value * (vectors[other]?.[at] ?? 0), 0);
    expect(nearness(0, 1)).toBeGreaterThan(nearness(0, 2));
    expect(nearness(0, 0)).toBeCloseTo(1);
  });

  test("are not asked of a provider that has none", async () => {
    const asking = embedTexts({ ...callOf(specAt("http://x", "anthropic")), onLate: undefined, texts });
    await expect(asking).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("an order of documents", () => {
  const question = { query: "water", documents: ["a desert", "a river"] };
  const results = [
    { index: 0, relevance_score: 0.1 },
    { index: 1, relevance_score: 0.9 },
  ];
  const best = [
    { index: 1, score: 0.9 },
    { index: 0, score: 0.1 },
  ];

  test.each([
    ["cohere", { id: "x", results, meta: {} }, "/v1/rerank"],
    [
      "bedrock",
      { results: results.map(({ index, relevance_score }) => ({ index, relevanceScore: relevance_score })) },
      "/v1/rerank",
    ],
    ["openai-compatible", { results, usage: { total_tokens: 12 } }, "/v1/rerank"],
  ] as const)("of %s has the best first", async (provider, body, path) => {
    standIn.replies = [jsonAnswer(body)];
    const spec = specAt(standIn.baseUrl, provider, { kind: "rerank" });
    const answer = await rerankDocuments({ ...callOf(spec), onLate: undefined, ...question });
    expect(answer.ranked).toEqual(best);
    expect(answer.usage.estimated).toBe(provider !== "openai-compatible");
    expect(standIn.seen[0]?.path).toBe(path);
  });

  test.each([
    ["names a document twice", { results: [results[0], results[0]] }],
    ["names a document that was not sent", { results: [{ index: 2, relevance_score: 1 }] }],
    ["has no scores", { results: [{ index: 0 }] }],
    ["is empty", { results: [] }],
  ])("that %s is a failure", async (_, body) => {
    standIn.replies = [jsonAnswer(body)];
    const asking = rerankDocuments({
      ...callOf(specAt(standIn.baseUrl, "openai-compatible")),
      onLate: undefined,
      ...question,
    });
    await expect(asking).rejects.toMatchObject({ code: "MODEL_UNAVAILABLE" });
  });

  test("fails as other calls do", async () => {
    standIn.replies = [
      { ...jsonAnswer({ error: { code: "rate_limit_exceeded" } }, 429), headers: { "retry-after": "3" } },
    ];
    const asking = rerankDocuments({
      ...callOf(specAt(standIn.baseUrl, "openai-compatible")),
      onLate: undefined,
      ...question,
    });
    await expect(asking).rejects.toMatchObject({ code: "MODEL_RATE_LIMITED", retryAfterMs: 3000 });
  });

  test("of the simulated model goes by shared words", async () => {
    const call = { ...callOf({ provider: "simulated" }), onLate: undefined };
    const { ranked } = await rerankDocuments({ ...call, query: "a river", documents: question.documents, top: 1 });
    expect(ranked).toEqual([{ index: 1, score: 1 }]);
  });
});

const notFound = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from /app/x.js`), { code: "ERR_MODULE_NOT_FOUND" });

describe("the packages", () => {
  test("of which one is missing say how to install it", async () => {
    const loading = loadPeer("openai", () => Promise.reject(notFound("@ai-sdk/openai")));
    await expect(loading).rejects.toMatchObject({ code: "PEER_MISSING", hint: "npm install @ai-sdk/openai@4" });
  });

  test("of which one is there but broken are not called missing", async () => {
    const error = notFound("some-dependency");
    await expect(loadPeer("openai", () => Promise.reject(error))).rejects.toBe(error);
  });

  test("are known to be there without being loaded", () => {
    expect(isInstalled("@ai-sdk/openai")).toBe(true);
    expect(isInstalled("@ai-sdk/nothing")).toBe(false);
  });

  test("and the AI libraries are not loaded until a model is called", async () => {
    const script = `
      const { registerHooks } = await import("node:module");
      const heavy = [];
      registerHooks({ resolve(name, context, next) { if (/^(ai|@ai-sdk|@pydantic|jsonrepair)(\\/|$)/.test(name)) heavy.push(name); return next(name, context); } });
      const room = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
      await room.resolveModels({ config: {}, environment: {}, fetch });
      console.log(JSON.stringify([typeof room.createGateway, ...heavy]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    expect(JSON.parse(stdout)).toEqual(["function"]);
  });
});
