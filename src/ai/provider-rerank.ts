import { isRecord } from "../core/index.ts";
import { ProviderFailure } from "./failure-signs.ts";
import type { ModelAccess } from "./model-access.ts";
import type { OpenRerankModel } from "./providers.ts";

/**
 * Asks a server for the order of documents by `POST /rerank`, as Jina, vLLM, LiteLLM, llama.cpp and Cohere's first interface
 * take it. The AI SDK has no client for servers of this shape.
 *
 * @see https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
 */
export function createRerankClient(
  model: string,
  server: { readonly baseURL: string; readonly apiKey: string; readonly fetch: ModelAccess["fetch"] },
): OpenRerankModel {
  return {
    async doRerank({ query, documents, topN, abortSignal }) {
      const response = await server.fetch(`${server.baseURL.replace(/\/+$/, "")}/rerank`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(server.apiKey !== "" && { authorization: `Bearer ${server.apiKey}` }),
        },
        body: JSON.stringify({ model, query, documents: documents.values, top_n: topN, return_documents: false }),
        signal: abortSignal ?? null,
      });
      const body = await response.text();
      const ranking = response.ok ? readRanking(body) : null;
      if (ranking !== null) return { ranking, response: { body: JSON.parse(body) } };
      throw new ProviderFailure(response.status, body, Object.fromEntries(response.headers));
    },
  };
}

/** The order in an answer; null when the answer is not one. */
function readRanking(body: string): { index: number; relevanceScore: number }[] | null {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    // A proxy's page, say: told by the status.
    return null;
  }
  const results: unknown = isRecord(answer) ? answer["results"] : null;
  if (!Array.isArray(results)) return null;
  const ranking = results.flatMap((result) => {
    const index: unknown = isRecord(result) ? result["index"] : null;
    const relevanceScore: unknown = isRecord(result) ? (result["relevance_score"] ?? result["score"]) : null;
    return typeof index === "number" && typeof relevanceScore === "number" ? [{ index, relevanceScore }] : [];
  });
  return ranking.length === results.length ? ranking : null;
}
