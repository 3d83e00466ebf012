/** What the service of the experiment with failing providers serves: one question to a model, asked in several ways. */
import { defineConfig, flow, type ModelsConfig, secret, webhook, z } from "sluice";
import {
  eachKinds,
  mixedKeys,
  mixedNames,
  modelName,
  originVariable,
  price,
  type Vendor,
  vendors,
} from "./provider-faults-plan.ts";

const origin = process.env[originVariable] ?? "";

/** A model of the sandbox. The key decides whose circuit opens. */
function model(vendor: Vendor, id: string, key: string) {
  const times = { timeoutMs: 1500, firstTokenTimeoutMs: 1000, idleTimeoutMs: 700 };
  const stream = id.endsWith("stream");
  return {
    provider: vendor,
    model: id,
    baseUrl: `${origin}/${vendor}/v1`,
    apiKey: secret(key),
    price,
    stream,
    ...times,
  };
}

const mixed = (vendor: Vendor, id: string) => model(vendor, id, mixedKeys[vendor]);

/** Its first request meets the fault; the model behind it meets none. */
const each: ModelsConfig = Object.fromEntries(
  eachKinds.map(({ vendor, kind, key }) => [
    modelName(vendor, kind),
    [model(vendor, `sandbox-${modelName(vendor, kind)}`, key), mixed("openai", "sandbox-spare")],
  ]),
);

/** Each falls back to the other provider, one answers at once and the other as a stream. */
const shared: ModelsConfig = Object.fromEntries(
  mixedNames.map((name, at) => {
    const id = at % 2 === 0 ? "sandbox-mixed" : "sandbox-mixed-stream";
    const both = vendors.map((vendor) => mixed(vendor, id));
    return [name, at < 2 ? both : both.toReversed()];
  }),
);

const parked: ModelsConfig = {
  "parked-openai": mixed("openai", "sandbox-parked"),
  "parked-anthropic": mixed("anthropic", "sandbox-parked"),
};

const Answer = z.object({ topic: z.enum(["sales", "support"]), score: z.int().min(0).max(100) });

const ask = flow({
  name: "ask",
  trigger: webhook({
    path: "ask",
    payload: z.object({ case: z.string(), model: z.string() }),
    verify: { allowUnsigned: true },
  }),
  budget: { perRunUsd: 0.2, perDayUsd: 20 },
  run: ({ case: name, model }, { ai }) =>
    ai.object("answer", {
      instructions: "Say what the case is about, and how urgent it is.",
      send: { case: name, message: "The door of the lift does not close any more, and nobody answers the telephone." },
      schema: Answer,
      check: ({ score }) => score >= 0 || "the score must not be negative",
      model,
      maxOutputTokens: 200,
    }),
});

export default defineConfig({
  flows: [ask],
  models: {
    fast: mixed("openai", "sandbox-mixed"),
    ...shared,
    ...each,
    ...parked,
  },
});
