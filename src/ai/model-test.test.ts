import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { specAt } from "./fixtures/call-of.ts";
import { jsonAnswer, openaiAnswer, type ProviderStandIn, startProviderStandIn } from "./fixtures/provider-stand-in.ts";
import { candidatesToTest, testModel } from "./model-test.ts";
import { resolveModels } from "./models.ts";

let standIn: ProviderStandIn;
beforeAll(async () => void (standIn = await startProviderStandIn()));
afterAll(() => standIn.close());
beforeEach(() => void (standIn.seen.length = 0));

const access = { fetch, resolveSecret: () => "sk-planted" };

test("each model is asked once, by its kind; limits and price are told", async () => {
  const config = {
    fast: [specAt(standIn.baseUrl, "openai", { model: "gpt-6-luna" }), { provider: "simulated" }],
    embed: specAt(standIn.baseUrl, "openai", { model: "text-embedding-3-small", kind: "embedding" }),
    rerank: specAt(standIn.baseUrl, "openai-compatible", { kind: "rerank" }),
  } as const;
  standIn.replies = [
    { ...openaiAnswer("ok"), headers: { "x-ratelimit-limit-requests": "60" } },
    jsonAnswer({ data: [{ index: 0, embedding: [1] }], usage: { prompt_tokens: 1, total_tokens: 1 } }),
    jsonAnswer({ results: [{ index: 0, relevance_score: 1 }] }),
  ];
  const models = await resolveModels({ config, environment: {}, fetch });
  const candidates = candidatesToTest(models).filter(({ name }) => name !== "smart");
  const tests = [];
  for (const candidate of candidates) tests.push(await testModel(candidate, { access }));
  expect(tests).toMatchObject([
    {
      name: "fast",
      provider: "openai",
      model: "gpt-6-luna",
      ok: true,
      limits: [{ kind: "requests", limit: 60 }],
      costMicroUsd: 150,
      error: null,
    },
    { name: "fast", provider: "simulated", ok: true, costMicroUsd: 0 },
    { name: "embed", ok: true, costMicroUsd: 1 },
    { name: "rerank", ok: true, costMicroUsd: null },
  ]);
  expect(tests[0]?.latencyMs).toBeGreaterThanOrEqual(0);
  expect(standIn.seen.map(({ path }) => path)).toEqual(["/v1/chat/completions", "/v1/embeddings", "/v1/rerank"]);
});

test("a model that was reached is fine, also when its answer is cut", async () => {
  standIn.replies = [openaiAnswer("", { finish: "length" })];
  expect(await testModel({ name: "fast", spec: specAt(standIn.baseUrl, "openai") }, { access })).toMatchObject({
    ok: true,
  });
});

test("a failure is told and not thrown, and shows no key", async () => {
  standIn.replies = [jsonAnswer({ error: { code: "invalid_api_key", message: "sk-planted" } }, 401)];
  const result = await testModel({ name: "fast", spec: specAt(standIn.baseUrl, "openai") }, { access });
  expect(result).toMatchObject({ ok: false, usage: null, costMicroUsd: null, error: { code: "MODEL_AUTH_FAILED" } });
  expect(JSON.stringify(result)).not.toContain("sk-planted");
});

test("one name can be tested alone; an unknown one is refused", async () => {
  const models = await resolveModels({ config: {}, environment: {}, fetch });
  expect(candidatesToTest(models, "smart")).toEqual([{ name: "smart", spec: { provider: "simulated" } }]);
  expect(() => candidatesToTest(models, "smrt")).toThrow(expect.objectContaining({ code: "MODEL_UNKNOWN" }));
});
