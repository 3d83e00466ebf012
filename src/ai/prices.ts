import type { MatchLogic } from "@pydantic/genai-prices";
import { isSimulated, type HostedModelSpec, type ModelSpec } from "./model-spec.ts";

/** What a call used. */
export interface Usage {
  /** All input, what the provider had in its cache included. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

/**
 * What a usage costs, in whole micro-dollars, rounded up; null when the price is unknown, which is never taken for 0.
 * A simulated call costs 0, because nothing was bought.
 */
export async function costMicroUsd(spec: ModelSpec, usage: Usage): Promise<number | null> {
  if (isSimulated(spec)) return 0;
  if (spec.price !== undefined) {
    // Dollars for a million tokens are micro-dollars for a token.
    const { inputUsdPerMillion, outputUsdPerMillion } = spec.price;
    return roundUp(usage.inputTokens * inputUsdPerMillion + usage.outputTokens * outputUsdPerMillion);
  }
  const usd = await listPriceUsd(spec, usage);
  return usd === null ? null : roundUp(usd * 1_000_000);
}

async function listPriceUsd(spec: HostedModelSpec, usage: Usage): Promise<number | null> {
  // A compatible server or a gateway in between has prices of its own; the list's are the provider's.
  if (spec.provider === "openai-compatible") return null;
  // Loaded on first use: the list takes 20 MB.
  const { calcPrice } = await import("@pydantic/genai-prices");
  const counts = {
    input_tokens: usage.inputTokens,
    cache_read_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
  };
  const found = calcPrice(counts, spec.model, { providerId: spec.provider });
  if (found === null || !isNamed(found.model.match, spec.model, found.model.id)) return null;
  return found.total_price;
}

/**
 * Whether the price is the model's own. The list also matches by how an id begins, and so gives a new model the price of an
 * older one (`claude-sonnet-5` for `claude-sonnet-5-5`): such a price is a guess.
 */
function isNamed(match: MatchLogic, model: string, listedId: string): boolean {
  const undated = model.replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, "");
  return undated === listedId || equalsOf(match).includes(undated) || equalsOf(match).includes(model);
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
