import { embedMany, rerank } from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openModelSandbox, type ModelSandbox } from "./fixtures/model-sandbox.ts";

let models: ModelSandbox;

beforeAll(async () => {
  models = await openModelSandbox();
});
beforeEach(() => models.sandbox.setFaults([]));
afterAll(() => models.close());

describe("Cohere's stand-in", () => {
  it("embeds for its client, in the size asked for", async () => {
    const model = models.cohere.embedding("embed-v4.0");
    const { embeddings, usage } = await embedMany({ model, values: ["hello", "world"], maxRetries: 0 });
    expect(embeddings.map((vector) => vector.length)).toEqual([256, 256]);
    expect(usage.tokens).toBe(3);
    const providerOptions = { cohere: { outputDimension: 512 } } as const;
    const larger = await embedMany({ model, values: ["hello"], maxRetries: 0, providerOptions });
    expect(larger.embeddings[0]).toHaveLength(512);
    expect((await models.sandbox.calls({ system: "cohere" })).at(-1)?.response).toMatchObject({ vectors: 1 });
  });

  it("ranks by shared words for its client, the best first", async () => {
    const documents = ["invoice terms", "holiday policy of the company", "parental leave and holiday"];
    const model = models.cohere.reranking("rerank-v3.5");
    const { ranking } = await rerank({ model, documents, query: "holiday policy", topN: 2, maxRetries: 0 });
    expect(ranking.map(({ originalIndex }) => originalIndex)).toEqual([1, 2]);
    expect(ranking[0]?.score).toBeGreaterThan(ranking[1]?.score ?? 1);
  });

  it("gives floats and base64, and takes inputs of text", async () => {
    const body = {
      model: "embed-v4.0",
      inputs: [{ content: [{ type: "text", text: "hello" }] }],
      embedding_types: ["float", "base64"],
    };
    const { embeddings } = (await (await models.send("cohere", "/embed", body)).json()) as {
      embeddings: { float: [number[]]; base64: [string] };
    };
    const bytes = Buffer.from(embeddings.base64[0], "base64");
    expect(bytes.readFloatLE(0)).toBe(Math.fround(embeddings.float[0][0]!));
  });

  it("tells its limit with a Unix time", async () => {
    const { headers } = await models.send("cohere", "/embed", { model: "embed-v4.0", texts: ["a"] });
    expect(headers.get("x-ratelimit-limit")).toBe("1000000");
    expect(Number(headers.get("x-ratelimit-remaining"))).toBeLessThan(1_000_000);
    expect(Number(headers.get("x-ratelimit-reset")) * 1000).toBeGreaterThan(Date.now());
  });

  it.each([
    ["an unknown model", "/embed", { model: "gpt-5", texts: ["a"] }, 404],
    ["no texts", "/embed", { model: "embed-v4.0", texts: [] }, 400],
    ["too many texts", "/embed", { model: "embed-v4.0", texts: Array(97).fill("a") }, 400],
    [
      "a type of vector that it does not know",
      "/embed",
      { model: "embed-v4.0", texts: ["a"], embedding_types: ["int8"] },
      400,
    ],
    ["no query", "/rerank", { model: "rerank-v3.5", documents: ["a"] }, 400],
    ["an unknown address", "/levitate", {}, 404],
  ])("refuses %s", async (_what, path, body, status) => {
    const response = await models.send("cohere", path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ message: expect.any(String) as string });
  });

  it("refuses a wrong key", async () => {
    const headers = { authorization: "Bearer wrong" };
    expect((await models.send("cohere", "/embed", {}, { headers })).status).toBe(401);
  });

  it("can give no vectors, no ranking and no usage", async () => {
    const embed = { model: "embed-v4.0", texts: ["a"] };
    const ranked = { model: "rerank-v3.5", query: "a", documents: ["a"] };
    await models.play("cohere", "empty_content");
    expect(await (await models.send("cohere", "/embed", embed)).json()).toMatchObject({ embeddings: { float: [] } });
    expect(await (await models.send("cohere", "/rerank", ranked)).json()).toMatchObject({ results: [] });
    await models.play("cohere", "usage_missing");
    expect(await (await models.send("cohere", "/rerank", ranked)).json()).not.toHaveProperty("meta");
  });
});
