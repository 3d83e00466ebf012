import { isRecord, type SluiceError } from "../core/index.ts";
import type { Usage } from "./prices.ts";

/** What a request used. */
export interface ModelUsage extends Usage {
  /** Tokens of the output that were spent on thinking. */
  readonly reasoningTokens: number;
  /** Whether the provider did not say, so that the counts are worked out from the length of the texts. */
  readonly estimated: boolean;
}

/** Counts as a provider's package reports them. */
export interface ReportedUsage {
  readonly inputTokens: { readonly total: number | undefined; readonly cacheRead: number | undefined };
  readonly outputTokens: { readonly total: number | undefined; readonly reasoning: number | undefined };
}

/** Takes what the provider reported; where it did not say, or said what cannot be, estimates from the lengths of the texts. */
export function toUsage(reported: ReportedUsage | undefined, sizes: Readonly<TextSizes>): ModelUsage {
  const inputTokens = count(reported?.inputTokens.total);
  const outputTokens = count(reported?.outputTokens.total);
  // Packages fill in 0 for what the provider did not report.
  if (inputTokens === undefined || outputTokens === undefined || inputTokens === 0) return estimateUsage(sizes);
  return {
    inputTokens,
    outputTokens,
    cachedInputTokens: Math.min(count(reported?.inputTokens.cacheRead) ?? 0, inputTokens),
    reasoningTokens: Math.min(count(reported?.outputTokens.reasoning) ?? 0, outputTokens),
    estimated: false,
  };
}

/** Bytes of UTF-8 that were sent, and that came back. */
export interface TextSizes {
  sentBytes: number;
  receivedBytes: number;
}

/** Usage by the rule of thumb that a token is four bytes. It holds for English; most other writing has fewer bytes a token. */
export function estimateUsage({ sentBytes, receivedBytes }: Readonly<TextSizes>): ModelUsage {
  return {
    inputTokens: Math.ceil(sentBytes / 4),
    outputTokens: Math.ceil(receivedBytes / 4),
    cachedInputTokens: 0,
    reasoningTokens: 0,
    estimated: true,
  };
}

/** What a failed request used, as far as its error tells: an answer that broke off, say. Null when it does not. */
export function usageOfFailure(error: SluiceError): ModelUsage | null {
  const usage: unknown = isRecord(error.details) ? error.details["usage"] : undefined;
  return isRecord(usage) ? (usage as unknown as ModelUsage) : null;
}

/** A whole number of at least 0; undefined for whatever else a server may say. */
function count(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
