import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ModelSpec } from "./index.ts";
import { costMicroUsd } from "./prices.ts";

const usage = { inputTokens: 1000, outputTokens: 100, cachedInputTokens: 0 };
const openai = (model: string): ModelSpec => ({ provider: "openai", model });

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
