import { isRecord, type Json } from "../core/index.ts";
import { fittingJson } from "./fitting-json.ts";

/**
 * What a brain is asked: a chat completion request as it came in, of which only the fields that a brain needs are named. A
 * request of another API (responses, Anthropic's messages) is given in this shape, with `model`, `messages` and `response_format`.
 */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: Json }[];
  readonly response_format?: Json;
  readonly [field: string]: Json | undefined;
}

/** What decides the content of the answers of the models' stand-ins. The same request should give the same answer. */
export type Brain = (request: ChatRequest) => { readonly content: string } | Promise<{ readonly content: string }>;

/**
 * The built-in brain. Asked for JSON of a schema it gives the smallest that fits, else a sentence; both say SIMULATED,
 * and neither repeats what was asked.
 */
export const simulatedBrain: Brain = (request) => {
  const format = isRecord(request.response_format) ? request.response_format : {};
  if (format["type"] === "json_schema" && isRecord(format["json_schema"])) {
    return { content: JSON.stringify(fittingJson(format["json_schema"]["schema"])) };
  }
  if (format["type"] === "json_object") return { content: JSON.stringify(fittingJson(schemaInPrompt(request))) };
  return { content: `SIMULATED: an answer of the sandbox to a conversation of ${request.messages.length} messages.` };
};

/** Clients of servers without structured output write the schema into a message, after the line `JSON schema:`. */
function schemaInPrompt(request: ChatRequest): unknown {
  const written = request.messages.map((message) => /JSON schema:\n(\{.*\})/.exec(contentText(message.content))?.[1]);
  const text = written.find((match) => match !== undefined);
  const anything = { type: "object", required: ["answer"] };
  try {
    return text === undefined ? anything : (JSON.parse(text) as unknown);
  } catch {
    // What follows the line is no schema: then any object will do.
    return anything;
  }
}

/** The text of a message, whose content is a string or a list of parts. */
export function contentText(content: Json): string {
  if (typeof content === "string") return content;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  return parts.map((part) => (isRecord(part) && typeof part["text"] === "string" ? part["text"] : "")).join("");
}
