import { z } from "zod";
import type { HostedModelSpec } from "./model-spec.ts";
import { providerFacts } from "./provider-facts.ts";

const secretReference = z.strictObject({ secret: z.string().min(1) });
const words = z.array(z.string().min(1));
const atLeastOne = z.int().min(1);
const usd = z.number().min(0);
const positiveUsd = z.number().positive();

/** Providers by the word that stands in a configuration. */
const hostedProviders = Object.keys(providerFacts) as [HostedModelSpec["provider"]];

const limits = z.strictObject({
  requestsPerMinute: atLeastOne.optional(),
  inputTokensPerMinute: atLeastOne.optional(),
  outputTokensPerMinute: atLeastOne.optional(),
  tokensPerMinute: atLeastOne.optional(),
  concurrency: atLeastOne.optional(),
  interactiveShare: z.number().min(0).max(0.9).optional(),
});

const price = z.strictObject({
  inputUsdPerMillion: usd,
  outputUsdPerMillion: usd,
  cachedInputUsdPerMillion: usd.optional(),
  batchFactor: z.number().min(0).max(1).optional(),
});

const hosted = z.strictObject({
  provider: z.enum(hostedProviders),
  model: z.string().min(1),
  kind: z.enum(["text", "embedding", "rerank"]).optional(),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  apiKey: secretReference.optional(),
  accessKeyId: secretReference.optional(),
  secretAccessKey: secretReference.optional(),
  region: z.string().min(1).optional(),
  dataClasses: words.optional(),
  api: z.enum(["chat", "responses"]).optional(),
  inputs: z.array(z.enum(["image", "pdf"])).optional(),
  timeoutMs: atLeastOne.optional(),
  stream: z.boolean().optional(),
  firstTokenTimeoutMs: atLeastOne.optional(),
  idleTimeoutMs: atLeastOne.optional(),
  reasoning: z.enum(["none", "minimal", "low", "medium", "high"]).optional(),
  structuredOutput: z.boolean().optional(),
  contextTokens: atLeastOne.optional(),
  limits: limits.optional(),
  budget: z.strictObject({ perDayUsd: positiveUsd.optional(), perMonthUsd: positiveUsd.optional() }).optional(),
  price: price.optional(),
  batch: z.boolean().optional(),
});

const simulated = z.strictObject({ provider: z.literal("simulated"), latencyMs: z.number().min(0).optional() });

/** A model of the configuration as `ModelSpec` says it, and nothing besides: a field with a typing error does nothing. */
export const modelSchema = z.discriminatedUnion("provider", [hosted, simulated]);

/** The names of the fields at a place of a model's configuration, such as `["limits"]`; for suggestions. */
export function fieldsAt(path: readonly PropertyKey[]): readonly string[] {
  const nested = { limits, price, budget: hosted.shape.budget.unwrap() };
  const at = path[0];
  if (at === undefined) return Object.keys(hosted.shape);
  return at in nested ? Object.keys(nested[at as keyof typeof nested].shape) : [];
}
