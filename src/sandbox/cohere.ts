import { isRecord, type Json } from "../core/index.ts";
import { contentText } from "./brain.ts";
import { cohere } from "./cohere-answers.ts";
import { cosine, embedText, toBase64 } from "./embedding.ts";
import { bearerToken, type IncomingCall, type Reply } from "./exchange.ts";
import {
  answerWithinLimits,
  prepare,
  spoiltVectors,
  type ModelMind,
  type ModelTurn,
  type PrepareRequest,
  type ReadyRequest,
} from "./model-request.ts";
import type { ModelSettings } from "./model-settings.ts";

const dimensionsByDefault = 256;
const maxDimensions = 1536;
/** So many that words hardly ever look alike by chance. */
const rankDimensions = 1024;
/** @see https://docs.cohere.com/reference/embed */
const maxTexts = 96;

const prepares = new Map<string, PrepareRequest>([
  ["/embed", prepareEmbed],
  ["/rerank", prepareRerank],
]);

/**
 * Cohere's API v2: embed, with vectors of 256 numbers unless asked otherwise, and rerank, by the words that query and
 * document share.
 *
 * @see https://docs.cohere.com/reference/about
 */
export function answerCohere(call: IncomingCall, settings: ModelSettings): Reply | Promise<Reply> {
  if (bearerToken(call) !== settings.key) return cohere.invalidKey();
  if (call.bodyState === "broken") return cohere.invalidRequest("the body is not valid JSON");
  const prepareCall = call.method === "POST" ? prepares.get(call.resource) : undefined;
  if (prepareCall === undefined) return cohere.invalidRequest("no such endpoint", 404);
  const ready = prepareCall({ id: String(call.number), at: call.at, body: call.body }, settings);
  return answerWithinLimits(cohere, ready, { call, windows: settings.windows });
}

function prepareEmbed({ id, body }: ModelTurn, { edit }: ModelMind): ReadyRequest | Reply {
  if (!isRecord(body) || typeof body["model"] !== "string") return cohere.invalidRequest("model is required");
  const texts = toTexts(body["texts"] ?? body["inputs"]);
  if (texts === undefined || texts.length > maxTexts) {
    return cohere.invalidRequest(`texts must be a list of 1 to ${maxTexts} texts`);
  }
  const dimensions = Number(body["output_dimension"] ?? dimensionsByDefault);
  const types: readonly unknown[] = Array.isArray(body["embedding_types"]) ? body["embedding_types"] : ["float"];
  if (!types.every((type) => type === "float" || type === "base64")) {
    return cohere.invalidRequest("the sandbox knows the embedding types float and base64");
  }
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > maxDimensions) {
    return cohere.invalidRequest(`output_dimension must be from 1 to ${maxDimensions}`);
  }
  return prepare(cohere, { model: body["model"], text: texts.join("\n") }, async (inputTokens) => {
    const { isEmpty, usageMissing } = spoiltVectors(edit);
    const vectors = isEmpty ? [] : texts.map((text) => embedText(text, dimensions));
    const rest = {
      id: `sandbox${id}`,
      response_type: "embeddings_by_type",
      ...metaOf(usageMissing, { input_tokens: inputTokens }),
    };
    const embeddings = {
      ...(types.includes("float") && { float: vectors }),
      ...(types.includes("base64") && { base64: vectors.map(toBase64) }),
    };
    const recorded = { ...rest, vectors: vectors.length };
    return { reply: { status: 200, body: { ...rest, embeddings }, recorded }, outputTokens: 0 };
  });
}

function prepareRerank({ id, body }: ModelTurn, { edit }: ModelMind): ReadyRequest | Reply {
  if (!isRecord(body) || typeof body["model"] !== "string") return cohere.invalidRequest("model is required");
  const { model, query } = body;
  const documents = toTexts(body["documents"]);
  if (typeof query !== "string" || query === "" || documents === undefined) {
    return cohere.invalidRequest("query and documents are required");
  }
  return prepare(cohere, { model, text: [query, ...documents].join("\n") }, async () => {
    const { isEmpty, usageMissing } = spoiltVectors(edit);
    const asked = embedText(query, rankDimensions);
    const scoreOf = (document: string) => Math.max(0, cosine(asked, embedText(document, rankDimensions)));
    const results = documents
      .map((document, index) => ({ index, relevance_score: scoreOf(document) }))
      .toSorted((one, other) => other.relevance_score - one.relevance_score)
      .slice(0, isEmpty ? 0 : Number(body["top_n"] ?? documents.length));
    const reply = { status: 200, body: { id: `sandbox${id}`, results, ...metaOf(usageMissing, { search_units: 1 }) } };
    return { reply, outputTokens: 0 };
  });
}

function metaOf(isMissing: boolean, billed_units: { readonly [unit: string]: number }): { readonly meta?: Json } {
  return isMissing ? {} : { meta: { api_version: { version: "2" }, billed_units } };
}

/** Texts as they are, or inputs of which the text counts. */
function toTexts(items: unknown): readonly string[] | undefined {
  if (!Array.isArray(items) || items.length === 0) return undefined;
  const texts = items.map((item: Json) => (isRecord(item) ? contentText(item["content"] as Json) : item));
  return texts.every((text) => typeof text === "string") ? texts : undefined;
}
