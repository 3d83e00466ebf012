import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { checkModels, type CheckModelsOptions } from "./check-models.ts";
import { modelSchema } from "./model-schema.ts";
import type { HostedModelSpec, ModelsConfig, ModelSpec, SimulatedModelSpec } from "./model-spec.ts";
import { resolveModels } from "./models.ts";

const openai: HostedModelSpec = { provider: "openai", model: "gpt-6-luna" };
const own: HostedModelSpec = { provider: "openai-compatible", model: "llama", baseUrl: "http://127.0.0.1:1/v1" };
const free = { inputUsdPerMillion: 0, outputUsdPerMillion: 0 };

type Flow = CheckModelsOptions["flows"][number];

async function check(config: ModelsConfig, flows: readonly Flow[] = [], more: Partial<CheckModelsOptions> = {}) {
  const models = await resolveModels({ config, environment: {}, fetch });
  return checkModels({ config, models, flows, ...more });
}

/** A model as somebody wrote it who was not stopped by the types. */
const written = (fields: object): ModelsConfig => ({ fast: { ...openai, ...fields } });

const flow = (budget: Flow["budget"], more: Partial<Flow> = {}): Flow => ({ name: "triage", budget, ...more });
const allButAnthropic = (packageName: string) => packageName !== "@ai-sdk/anthropic";

describe("what is written for a model", () => {
  test("is fine with every field that there is, alone and in a list", async () => {
    const all: Required<HostedModelSpec> = {
      ...own,
      kind: "text",
      apiKey: { secret: "A" },
      accessKeyId: { secret: "B" },
      secretAccessKey: { secret: "C" },
      region: "eu",
      dataClasses: ["health"],
      api: "chat",
      inputs: ["image"],
      timeoutMs: 1000,
      stream: true,
      firstTokenTimeoutMs: 1,
      idleTimeoutMs: 1,
      reasoning: "low",
      structuredOutput: true,
      contextTokens: 8192,
      limits: {
        requestsPerMinute: 60,
        inputTokensPerMinute: 1,
        outputTokensPerMinute: 1,
        tokensPerMinute: 1,
        concurrency: 1,
        interactiveShare: 0.2,
      },
      budget: { perDayUsd: 1, perMonthUsd: 10 },
      price: { ...free, cachedInputUsdPerMillion: 0, batchFactor: 0.5 },
      batch: false,
      baseUrl: "https://models.internal:8443/v1",
    };
    await expect(
      check({ fast: all, smart: [openai, { provider: "simulated", latencyMs: 5 }] }),
    ).resolves.toBeUndefined();
  });

  test("has the same fields in the types and in the check", () => {
    type Fields<T> = { readonly [Key in keyof Required<T>]: true };
    type Schema = z.infer<typeof modelSchema>;
    type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
    type SameHosted = Same<Fields<Exclude<Schema, { provider: "simulated" }>>, Fields<HostedModelSpec>>;
    type SameSimulated = Same<Fields<Extract<Schema, { provider: "simulated" }>>, Fields<SimulatedModelSpec>>;
    const same: [SameHosted, SameSimulated] = [true, true];
    const parsed: ModelSpec = modelSchema.parse(openai);
    expect([...same, parsed]).toEqual([true, true, openai]);
  });

  test.each([
    [{ timeoutMS: 5 }, "models.fast.timeoutMS is not a field that models have", "Did you mean timeoutMs?"],
    [
      { limits: { requestPerMinute: 60 } },
      "models.fast.limits.requestPerMinute is not",
      "Did you mean requestsPerMinute?",
    ],
    [{ price: { input: 1 } }, "models.fast.price", ""],
    [{ temperature: 1 }, "models.fast.temperature is not a field", "Fields here: provider, model, kind"],
    [{ limits: { requestsPerMinute: 0 } }, "models.fast.limits.requestsPerMinute is 0", ""],
    [{ limits: { requestsPerMinute: 1.5 } }, "models.fast.limits.requestsPerMinute is 1.5", ""],
    [{ limits: { concurrency: "5" } }, 'models.fast.limits.concurrency is "5"', ""],
    [{ limits: { interactiveShare: 1 } }, "models.fast.limits.interactiveShare is 1", ""],
    [{ price: { inputUsdPerMillion: -1, outputUsdPerMillion: 1 } }, "models.fast.price.inputUsdPerMillion is -1", ""],
    [{ price: { inputUsdPerMillion: 1 } }, "models.fast.price.outputUsdPerMillion is missing", ""],
    [{ budget: { perDayUsd: 0 } }, "models.fast.budget.perDayUsd is 0", ""],
    [{ reasoning: "lots" }, 'models.fast.reasoning is "lots"', ""],
    [{ kind: "image" }, 'models.fast.kind is "image"', ""],
    [{ inputs: ["video"] }, "models.fast.inputs[0]", ""],
    [{ model: "" }, 'models.fast.model is ""', ""],
  ])("is refused for %o, with the place and the value", async (fields, message, hint) => {
    const error: unknown = await check(written(fields)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect((error as Error).message).toContain(message);
    expect((error as { hint: string }).hint).toContain(hint);
  });

  test("is refused for a provider that is none, and names those that are", async () => {
    const config = { fast: { ...openai, provider: "opnai" } } as unknown as ModelsConfig;
    await expect(check(config)).rejects.toThrow(
      'models.fast.provider is "opnai": expected one of openai, anthropic, google, azure, bedrock, mistral, cohere, openai-compatible, simulated',
    );
  });

  test("never shows a key that stands where the name of one belongs", async () => {
    const error: unknown = await check(written({ apiKey: "sk-planted" })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect(JSON.stringify(error)).not.toContain("sk-planted");
    expect((error as Error).message).toContain("models.fast.apiKey");
  });

  test("names the place in a list", async () => {
    const config = { smart: [openai, { ...openai, timeoutMs: 0 }] };
    await expect(check(config)).rejects.toThrow("models.smart[1].timeoutMs is 0");
  });

  test("must be of a kind that the provider has, and one kind in a list", async () => {
    await expect(check({ embed: { provider: "anthropic", model: "m", kind: "embedding" } })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      hint: "Providers with models of kind embedding: openai, google, azure, bedrock, mistral, cohere, openai-compatible.",
    });
    await expect(check({ embed: [openai, { ...openai, kind: "embedding" }] })).rejects.toThrow(
      /kind text and embedding/,
    );
  });

  test("needs the package of its provider, also of a model that only stands in", async () => {
    const config = { fast: [openai, { provider: "anthropic", model: "claude-haiku-4-5" }] } as const;
    await expect(check(config, [], { isInstalled: allButAnthropic })).rejects.toMatchObject({
      code: "PEER_MISSING",
      hint: "npm install @ai-sdk/anthropic@4",
    });
  });
});

describe("a budget", () => {
  test("can be held when all prices are known; the simulated model costs nothing", async () => {
    const config = { fast: openai, cheap: { ...own, price: free }, test: { provider: "simulated" } } as const;
    await expect(check(config, [flow({ perDayUsd: 1 })])).resolves.toBeUndefined();
    await expect(check({}, [flow({ perRunUsd: 0.05 })])).resolves.toBeUndefined();
  });

  test.each([["perRunUsd"], ["perDayUsd"], ["perMonthUsd"]])(
    "%s is refused when a model that may be asked has no known price",
    async (field) => {
      const config = { fast: openai, local: own };
      const error: unknown = await check(config, [flow({ [field]: 1 })]).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "MODEL_PRICE_UNKNOWN" });
      expect((error as Error).message).toContain(
        'llama ("local") is unknown, so that the budget of flow triage cannot be held',
      );
      expect((error as { hint: string }).hint).toContain("price: { inputUsdPerMillion");
      await expect(check(config, [flow({ [field]: 1, allowUnknownPrice: true })])).resolves.toBeUndefined();
      await expect(check({ fast: [openai, own] }, [flow({ [field]: 1 })])).rejects.toMatchObject({
        code: "MODEL_PRICE_UNKNOWN",
      });
    },
  );

  test("does not mind models that the flow's data may not go to", async () => {
    const config = { fast: { ...openai, region: "eu", dataClasses: ["health"] }, local: own };
    await expect(check(config, [flow({ perDayUsd: 1 }, { regions: ["eu"] })])).resolves.toBeUndefined();
    await expect(check(config, [flow({ perDayUsd: 1 }, { dataClasses: ["health"] })])).resolves.toBeUndefined();
    await expect(check(config, [flow({ perDayUsd: 1 })])).rejects.toMatchObject({ code: "MODEL_PRICE_UNKNOWN" });
  });

  test("over all flows, or of a key, needs prices as well", async () => {
    await expect(check({ fast: own }, [{ name: "a" }], { budget: { perDayUsd: 1 } })).rejects.toMatchObject({
      code: "MODEL_PRICE_UNKNOWN",
    });
    const limited = { ...own, budget: { perDayUsd: 1 } };
    await expect(check({ fast: limited }, [])).rejects.toThrow(/the budget of its key/);
    await expect(check({ fast: { ...limited, price: free } }, [])).resolves.toBeUndefined();
    await expect(check({ fast: own }, [{ name: "a" }])).resolves.toBeUndefined();
  });

  test.each([
    [{ perDayUsd: 0 }, "FLOW_INVALID", "perDayUsd in the budget of flow triage is 0"],
    [{ perRunUsd: -1 }, "FLOW_INVALID", "is -1"],
    [{ perMonthUsd: Number.NaN }, "FLOW_INVALID", "is NaN"],
    [{ perDayUsd: "5" }, "FLOW_INVALID", "is 5"],
    [{ perDayUsd: 1, whenSpent: ["cheeper"] }, "FLOW_INVALID", '"cheeper", expected cheaper, batch, wait, ask, stop'],
    [{ perDayUsd: 1, whenSpent: ["cheaper"] }, "FLOW_INVALID", "names no cheaperModel"],
    [
      { perDayUsd: 1, cheaperModel: "cheap" },
      "MODEL_UNKNOWN",
      'cheaperModel of flow triage is "cheap"; configured are fast, smart',
    ],
  ])("%o is refused", async (budget, code, message) => {
    const error: unknown = await check({ fast: openai }, [flow(budget as Flow["budget"])]).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(message);
  });

  test("over all flows must be a number above 0", async () => {
    await expect(check({ fast: openai }, [], { budget: { perMonthUsd: 0 } })).rejects.toThrow(/of all flows is 0/);
  });
});
