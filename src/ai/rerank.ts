import { isRecord, type Ranked } from "../core/index.ts";
import { UnusableAnswer } from "./failures.ts";
import { isSimulated, type HostedModelSpec } from "./model-spec.ts";
import { type ModelRequestCall, sendOnce, type SendContext } from "./model-request.ts";
import { openRerankModel } from "./providers.ts";
import type { AnswerHeaders } from "./retry-after.ts";
import { rankSimulated } from "./simulated/ranking.ts";
import { type ModelUsage, toUsage } from "./usage.ts";

/** What a model that orders documents answered. */
export interface RerankAnswer {
  /** The best first; each document at most once. */
  readonly ranked: readonly Ranked[];
  /** Nearly always estimated: most providers count searches, not tokens. */
  readonly usage: ModelUsage;
  readonly headers: AnswerHeaders;
}

/** One request for an order of documents. */
export interface RerankCall extends ModelRequestCall<RerankAnswer> {
  readonly query: string;
  readonly documents: readonly string[];
  /** Most documents to give. Default: all. */
  readonly top?: number;
}

/** Exactly one request for an order of documents. @throws as `callModel`; CONFIG_INVALID when the provider has no such models. */
export function rerankDocuments(call: RerankCall): Promise<RerankAnswer> {
  const { spec } = call.model;
  return sendOnce(call, (context) =>
    isSimulated(spec) ? Promise.resolve(rankSimulated(call)) : rerankHosted(spec, call, context),
  );
}

async function rerankHosted(spec: HostedModelSpec, call: RerankCall, context: SendContext): Promise<RerankAnswer> {
  const { query, documents, top = documents.length } = call;
  const model = await openRerankModel(spec, context.access);
  const { ranking, response } = await model.doRerank({
    query,
    documents: { type: "text", values: [...documents] },
    topN: top,
    abortSignal: context.time.signal,
  });
  const order = ranking.map(({ index, relevanceScore }) => ({ index, score: relevanceScore }));
  if (!isRanking(order, documents.length)) {
    throw new UnusableAnswer(`gave an order that does not fit the ${documents.length} documents`, null);
  }
  const sentBytes = [query, ...documents].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    ranked: order.toSorted((one, other) => other.score - one.score).slice(0, top),
    usage: toUsage(tokensIn(response?.body), { sentBytes, receivedBytes: 0 }),
    headers: context.wire.headers,
  };
}

function isRanking(ranking: readonly Ranked[], count: number): boolean {
  const fits = ranking.every(
    ({ index, score }) => Number.isInteger(index) && index >= 0 && index < count && Number.isFinite(score),
  );
  return (
    fits && new Set(ranking.map(({ index }) => index)).size === ranking.length && (ranking.length > 0 || count === 0)
  );
}

/** Servers of Jina's shape count tokens: `{ "usage": { "total_tokens": 12 } }`. */
function tokensIn(body: unknown) {
  const usage: unknown = isRecord(body) ? body["usage"] : undefined;
  const total: unknown = isRecord(usage) ? usage["total_tokens"] : undefined;
  if (typeof total !== "number") return undefined;
  return { inputTokens: { total, cacheRead: 0 }, outputTokens: { total: 0, reasoning: 0 } };
}
