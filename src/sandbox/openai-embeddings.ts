import { isRecord, type JsonObject } from "../core/index.ts";
import { embedText, toBase64 } from "./embedding.ts";
import type { Reply } from "./exchange.ts";
import { prepare, spoiltVectors, type ModelMind, type ModelTurn, type ReadyRequest } from "./model-request.ts";
import { openai } from "./openai-answers.ts";

const dimensionsByDefault = 256;
const maxDimensions = 3072;
const maxInputs = 2048;

/**
 * Embeddings: vectors of the words of a text, of 256 numbers unless asked otherwise.
 *
 * @see https://platform.openai.com/docs/api-reference/embeddings
 */
export function prepareEmbeddings({ body }: ModelTurn, { edit }: ModelMind): ReadyRequest | Reply {
  if (!isRecord(body) || typeof body["model"] !== "string")
    return openai.invalidRequest("you must provide a model parameter");
  const texts = toTexts(body["input"]);
  if (texts === undefined || texts.length > maxInputs || texts.includes("")) {
    return openai.invalidRequest("'$.input' is invalid. Please check the API reference.");
  }
  const dimensions = Number(body["dimensions"] ?? dimensionsByDefault);
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > maxDimensions) {
    return openai.invalidRequest(`Invalid value for 'dimensions'. Expected an integer from 1 to ${maxDimensions}.`);
  }
  const { model, encoding_format: format } = body;
  return prepare(openai, { model, text: texts.join("\n") }, async (inputTokens) => {
    const answer = spoiltVectors(edit);
    const data = answer.isEmpty
      ? []
      : texts.map((text, index) => {
          const vector = embedText(text, dimensions);
          return { object: "embedding", index, embedding: format === "base64" ? toBase64(vector) : vector };
        });
    const usage: JsonObject = { prompt_tokens: inputTokens, total_tokens: inputTokens };
    const rest: JsonObject = { object: "list", model, ...(!answer.usageMissing && { usage }) };
    return {
      reply: { status: 200, body: { ...rest, data }, recorded: { ...rest, vectors: data.length } },
      outputTokens: 0,
    };
  });
}

/** A text, a list of texts, or either as numbers of tokens. */
function toTexts(input: unknown): readonly string[] | undefined {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input) || input.length === 0) return undefined;
  const items: readonly unknown[] = input;
  if (items.every((item) => typeof item === "string")) return items;
  if (items.every((item) => typeof item === "number")) return [items.join(" ")];
  return items.every(Array.isArray) ? items.map((item) => item.join(" ")) : undefined;
}
