import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ModelSpec } from "./index.ts";
import { costMicroUsd, priceListDate, priceOf, usesBatchApi } from "./prices.ts";

const usage = { inputTokens: 1000, outputTokens: 100, cachedInputTokens: 0 };
const openai = (model: string): ModelSpec => ({ provider: "openai", model });
const bedrock = (model: string): ModelSpec => ({ provider: "bedrock", model, region: "eu-central-1" });

test("a listed model has its price in whole micro-dollars, also under a dated name", async () => {
  const cost = await costMicroUsd(openai("gpt-6-luna"), usage);
  expect(cost).toBe(150);
  expect(await costMicroUsd({ provider: "anthropic", model: "claude-haiku-4-5-20251001" }, usage)).toBe(1500);
});

test("cached input is cheaper", async () => {
  expect(await costMicroUsd(openai("gpt-6-luna"), { ...usage, cachedInputTokens: 900 })).toBeLessThan(150);
});

test("an unknown price is unknown and not 0, also where the list would guess from how an id begins", async () => {
  expect(await costMicroUsd(openai("nonsense-9"), usage)).toBeNull();
  expect(await costMicroUsd({ provider: "anthropic", model: "claude-sonnet-5-5" }, usage)).toBeNull();
  const behindGateway = {
    provider: "openai-compatible",
    model: "gpt-6-luna",
    baseUrl: "http://127.0.0.1:1/v1",
  } as const;
  expect(await costMicroUsd(behindGateway, usage)).toBeNull();
});

test("a configured price counts before the list, and is never rounded down", async () => {
  const priced: ModelSpec = {
    provider: "openai",
    model: "x",
    price: { inputUsdPerMillion: 0.25, outputUsdPerMillion: 2 },
  };
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000_000), fc.nat(1_000_000), async (inputTokens, outputTokens) => {
      const cost = await costMicroUsd(priced, { inputTokens, outputTokens, cachedInputTokens: 0 });
      expect(cost).toBe(Math.ceil(inputTokens / 4 + outputTokens * 2));
    }),
  );
});

test("the simulated model costs nothing, because nothing is bought", async () => {
  expect(await costMicroUsd({ provider: "simulated" }, usage)).toBe(0);
});

test("Bedrock's ids have the price of where they run, others of their name have none", async () => {
  expect(await costMicroUsd(bedrock("eu.anthropic.claude-haiku-4-5-20251001-v1:0"), usage)).toBe(1650);
  expect(await costMicroUsd(bedrock("global.anthropic.claude-haiku-4-5-20251001-v1:0"), usage)).toBe(1500);
  expect(await costMicroUsd(bedrock("eu.anthropic.claude-haiku-4-5-20991001-v1:0"), usage)).toBeNull();
});

test("vectors are priced by their input", async () => {
  const spec: ModelSpec = { provider: "openai", model: "text-embedding-3-small", kind: "embedding" };
  expect(await costMicroUsd(spec, { inputTokens: 1_000_000, outputTokens: 0, cachedInputTokens: 0 })).toBe(20_000);
});

test("long input has the price of long input", async () => {
  const short = await costMicroUsd(openai("gpt-6-luna"), { ...usage, inputTokens: 200_000 });
  const long = await costMicroUsd(openai("gpt-6-luna"), { ...usage, inputTokens: 400_000 });
  expect(long).toBeGreaterThan((short ?? 0) * 2);
});

test("own prices tell apart what came from the provider's cache", async () => {
  const price = { inputUsdPerMillion: 1, outputUsdPerMillion: 10, cachedInputUsdPerMillion: 0.1 };
  const spec: ModelSpec = { provider: "openai", model: "x", price };
  expect(await costMicroUsd(spec, { ...usage, cachedInputTokens: 900 })).toBe(100 + 90 + 1000);
});

test("the batch lane is cheaper only where a batch API is used", async () => {
  const lane = { lane: "batch" } as const;
  expect(await costMicroUsd(openai("gpt-6-luna"), usage, lane)).toBe(75);
  expect(await costMicroUsd({ provider: "openai", model: "gpt-6-luna", batch: false }, usage, lane)).toBe(150);
  const price = { inputUsdPerMillion: 1, outputUsdPerMillion: 10, batchFactor: 0.25 };
  const own: ModelSpec = { provider: "anthropic", model: "x", price };
  expect(await costMicroUsd(own, usage, lane)).toBe(500);
  for (const more of [{ kind: "embedding" }, { api: "responses" }, { provider: "mistral", batch: true }] as const) {
    expect(usesBatchApi({ provider: "openai", model: "gpt-6-luna", ...more })).toBe(false);
  }
});

test("a price tells where it comes from and from which day", async () => {
  expect(await priceOf(openai("gpt-6-luna"))).toEqual({
    inputUsdPerMillion: 0.1,
    outputUsdPerMillion: 0.5,
    cachedInputUsdPerMillion: 0.01,
    source: "list",
    asOf: priceListDate,
  });
  const price = { inputUsdPerMillion: 1, outputUsdPerMillion: 2 };
  expect(await priceOf({ provider: "openai", model: "x", price })).toMatchObject({
    source: "own",
    asOf: null,
    cachedInputUsdPerMillion: 1,
  });
  expect(await priceOf(openai("nonsense-9"))).toBeNull();
  expect(await priceOf({ provider: "simulated" })).toMatchObject({ inputUsdPerMillion: 0, outputUsdPerMillion: 0 });
});
