import type { Json } from "./api.ts";
import { parseJson } from "./json-text.ts";

/** A message to or from a model, for showing. */
export interface Message {
  readonly role: string;
  readonly content: string;
  /** Prose, as against JSON. */
  readonly isText: boolean;
}

/** What went to or came from a model: its messages, and whatever else stood beside them. */
export interface Exchange {
  readonly messages: readonly Message[];
  /** Everything that is in no message, such as limits and the schema; null when there is nothing else. */
  readonly rest: Json;
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The text of a message, where all its parts are text. */
function textOf(content: Json | undefined): string | null {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return null;
  const texts = content.map((part) => (isObject(part) && typeof part["text"] === "string" ? part["text"] : null));
  return texts.every((text) => text !== null) ? texts.join("\n") : null;
}

/** A text as a message. JSON is set out in lines, also between the marks that the gateway puts around received data. */
function toMessage(role: string, text: string): Message {
  const [, open = "", json = "", close = ""] = /^(<data>\n)?(\s*[[{][^]*?)(\n<\/data>)?$/.exec(text) ?? [];
  const parsed = parseJson(json);
  if ("mistake" in parsed) return { role, content: text, isText: true };
  return { role, content: open + JSON.stringify(parsed.value, null, 2) + close, isText: false };
}

function messageOf(item: Json): Message {
  if (!isObject(item) || typeof item["role"] !== "string")
    return { role: "", content: JSON.stringify(item, null, 2), isText: false };
  const text = textOf(item["content"]);
  if (text !== null) return toMessage(item["role"], text);
  return { role: item["role"], content: JSON.stringify(item["content"] ?? null, null, 2), isText: false };
}

const restOf = (rest: { readonly [key: string]: Json }): Json => (Object.keys(rest).length === 0 ? null : rest);

/** The messages of a request: the system's first. */
export function sentExchange(request: Json): Exchange {
  if (Array.isArray(request)) return { messages: request.map(messageOf), rest: null };
  if (!isObject(request) || !Array.isArray(request["messages"])) return { messages: [], rest: request };
  const { messages, system, ...rest } = request as { readonly [key: string]: Json } & {
    readonly messages: readonly Json[];
  };
  const instructions = typeof system === "string" ? [toMessage("system", system)] : [];
  return {
    messages: [...instructions, ...messages.map(messageOf)],
    rest: restOf(typeof system === "string" || system === undefined ? rest : { system, ...rest }),
  };
}

/** The answer of a response. */
export function answerExchange(response: Json): Exchange {
  if (typeof response === "string") return { messages: [toMessage("assistant", response)], rest: null };
  if (!isObject(response)) return { messages: [], rest: response };
  const { text, ...rest } = response;
  if (typeof text !== "string") return { messages: [], rest: response };
  return { messages: [toMessage("assistant", text)], rest: restOf(rest) };
}
