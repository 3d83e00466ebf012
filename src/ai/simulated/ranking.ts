import type { RerankAnswer } from "../rerank.ts";
import { estimateUsage } from "../usage.ts";
import { wordsOf } from "./words.ts";

/** The order of the simulated model: by the share of the query's words that stand in a document. */
export function rankSimulated(question: {
  readonly query: string;
  readonly documents: readonly string[];
  readonly top?: number;
}): RerankAnswer {
  const { query, documents, top = documents.length } = question;
  const wanted = new Set(wordsOf(query));
  const order = documents.map((document, index) => {
    const found = new Set(wordsOf(document));
    return { index, score: [...wanted].filter((word) => found.has(word)).length / Math.max(1, wanted.size) };
  });
  const sentBytes = [query, ...documents].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    ranked: order.toSorted((one, other) => other.score - one.score).slice(0, top),
    usage: { ...estimateUsage({ sentBytes, receivedBytes: 0 }), estimated: false },
    headers: {},
  };
}
