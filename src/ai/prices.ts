import type { MatchLogic, PriceCalculation } from "@pydantic/genai-prices";
import type { Priority } from "../core/index.ts";
import { type HostedModelSpec, isSimulated, type ModelSpec } from "./model-spec.ts";
import { kindOf } from "./provider-facts.ts";

/** What a call used. */
export interface Usage {
  /** All input, what the provider had in its cache included. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  /** All output, what was spent on thinking included: providers charge for it alike. */
  readonly outputTokens: number;
}

/** What a model's tokens cost, in US dollars for a million. */
export interface KnownPrice {
  readonly inputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
  readonly cachedInputUsdPerMillion: number;
  /** `own`: the configuration's. `list`: the price list's, for a call of ordinary length. */
  readonly source: "list" | "own";
  /** Day of the price list, such as `2026-09-23`; null for an own price. */
  readonly asOf: string | null;
}

/** The day on which the pinned version of `@pydantic/genai-prices` (0.1.8) was published. */
export const priceListDate = "2026-09-23";

/** What batch APIs charge of the usual price. @see https://platform.openai.com/docs/guides/batch */
const usualBatchFactor = 0.5;

/** Whether calls of the batch lane go with the provider's batch API, and so have its price. */
export function usesBatchApi(spec: ModelSpec): spec is HostedModelSpec {
  if (isSimulated(spec) || kindOf(spec) !== "text" || spec.batch === false) return false;
  return spec.provider === "openai" ? spec.api !== "responses" : spec.provider === "anthropic";
}

/** Whether a call of a lane goes with the provider's batch API. */
export function goesInBatch(spec: ModelSpec, lane: Priority): boolean {
  return lane === "batch" && usesBatchApi(spec);
}

/**
 * What a usage costs, in whole micro-dollars, rounded up; null when the price is unknown, which is never taken for 0.
 * A simulated call costs 0, because nothing was bought.
 *
 * @param options.lane with `batch`, the price is that of the batch API where the model's provider has one. Default: `standard`.
 */
export async function costMicroUsd(
  spec: ModelSpec,
  usage: Usage,
  options: { readonly lane?: Priority } = {},
): Promise<number | null> {
  if (isSimulated(spec)) return 0;
  // Dollars for a million tokens are micro-dollars for a token.
  const microUsd = spec.price === undefined ? await listCostMicroUsd(spec, usage) : ownCostMicroUsd(spec.price, usage);
  if (microUsd === null) return null;
  const isBatch = goesInBatch(spec, options.lane ?? "standard");
  return roundUp(microUsd * (isBatch ? (spec.price?.batchFactor ?? usualBatchFactor) : 1));
}

/** The price of a model; null when it is unknown. That of the simulated model is 0. */
export async function priceOf(spec: ModelSpec): Promise<KnownPrice | null> {
  if (isSimulated(spec)) return ownPrice({ inputUsdPerMillion: 0, outputUsdPerMillion: 0 });
  if (spec.price !== undefined) return ownPrice(spec.price);
  const found = await findListed(spec, { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 });
  if (found === null) return null;
  const { input_mtok: input, output_mtok: output, cache_read_mtok: cached } = found.model_price;
  const inputUsdPerMillion = basePrice(input) ?? 0;
  return {
    inputUsdPerMillion,
    outputUsdPerMillion: basePrice(output) ?? 0,
    cachedInputUsdPerMillion: basePrice(cached) ?? inputUsdPerMillion,
    source: "list",
    asOf: priceListDate,
  };
}

type OwnPrice = NonNullable<HostedModelSpec["price"]>;

function ownPrice(price: OwnPrice): KnownPrice {
  const { inputUsdPerMillion, outputUsdPerMillion, cachedInputUsdPerMillion = inputUsdPerMillion } = price;
  return { inputUsdPerMillion, outputUsdPerMillion, cachedInputUsdPerMillion, source: "own", asOf: null };
}

function ownCostMicroUsd(price: OwnPrice, { inputTokens, cachedInputTokens, outputTokens }: Usage): number {
  const { inputUsdPerMillion, outputUsdPerMillion, cachedInputUsdPerMillion } = ownPrice(price);
  const fresh = inputTokens - cachedInputTokens;
  return fresh * inputUsdPerMillion + cachedInputTokens * cachedInputUsdPerMillion + outputTokens * outputUsdPerMillion;
}

async function listCostMicroUsd(spec: HostedModelSpec, usage: Usage): Promise<number | null> {
  const usual = usualPrices.get(spec);
  if (usual && usage.inputTokens < usual.belowInputTokens) return ownCostMicroUsd(usual.price, usage);
  const found = await findListed(spec, usage);
  if (found === null) return null;
  usualPrices.set(spec, toUsualPrice(found.model_price));
  return found.total_price * 1_000_000;
}

/** The price of calls that are not so long that another one begins. */
interface UsualPrice {
  readonly price: OwnPrice;
  readonly belowInputTokens: number;
}

/** Kept: to look a price up in the list takes 0.2 ms, and each call needs it twice. */
const usualPrices = new WeakMap<HostedModelSpec, UsualPrice>();

function toUsualPrice(listed: PriceCalculation["model_price"]): UsualPrice {
  const { input_mtok: input, output_mtok: output, cache_read_mtok: cached, requests_kcount: perRequest } = listed;
  const starts = [input, output, cached].flatMap((one) =>
    typeof one === "object" ? one.tiers.map(({ start }) => start) : [],
  );
  const inputUsdPerMillion = basePrice(input) ?? 0;
  return {
    price: {
      inputUsdPerMillion,
      outputUsdPerMillion: basePrice(output) ?? 0,
      cachedInputUsdPerMillion: basePrice(cached) ?? inputUsdPerMillion,
    },
    // A price for each request is in no sum of tokens.
    belowInputTokens: perRequest === undefined ? Math.min(Infinity, ...starts) : 0,
  };
}

/** Loaded on first use: the list takes 20 MB. Kept, because to import it again takes longer than to look a price up. */
let priceList: Promise<typeof import("@pydantic/genai-prices")> | null = null;

async function findListed(spec: HostedModelSpec, usage: Usage): Promise<PriceCalculation | null> {
  // A compatible server or a gateway in between has prices of its own; the list's are the provider's.
  if (spec.provider === "openai-compatible") return null;
  const { calcPrice } = await (priceList ??= import("@pydantic/genai-prices"));
  const counts = {
    input_tokens: usage.inputTokens,
    cache_read_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
  };
  const found = calcPrice(counts, spec.model, { providerId: spec.provider });
  return found !== null && isNamed(found.model.match, spec.model, found.model.id) ? found : null;
}

function basePrice(price: PriceCalculation["model_price"][string]): number | undefined {
  return typeof price === "object" ? price.base : price;
}

/**
 * Whether the price is the model's own. The list also matches by how an id begins, and so gives a new model the price of an
 * older one (`claude-sonnet-5` for `claude-sonnet-5-5`): such a price is a guess.
 */
function isNamed(match: MatchLogic, model: string, listedId: string): boolean {
  const undated = model.replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, "");
  const named = equalsOf(match);
  return (
    named.includes(undated) ||
    named.includes(model) ||
    [undated, withoutRegion(model)].includes(withoutRegion(listedId))
  );
}

/** Bedrock's ids begin with where they run; the list says so in words: `eu.anthropic.x`, `regional.anthropic.x`. */
function withoutRegion(id: string): string {
  return id.replace(/^(?:[a-z]{2,4}(?:-gov)?|global|regional)\.(?=[a-z0-9]+\.)/, "");
}

function equalsOf(match: MatchLogic): string[] {
  if ("equals" in match) return [match.equals];
  const parts = "or" in match ? match.or : "and" in match ? match.and : [];
  return parts.flatMap(equalsOf);
}

/** Floating-point noise (0.00015000000000000001 dollars) must not add a micro-dollar. */
function roundUp(microUsd: number): number {
  return Math.ceil(Number(microUsd.toFixed(6)));
}
