import type { Json } from "./api.ts";

/** A message to a model, for showing. */
export interface SentMessage {
  readonly role: string;
  readonly content: string;
  /** Prose, as against JSON. */
  readonly isText: boolean;
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

function looksLikeJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The messages of a request, whether it is a list of them or holds one; null when it has another shape. */
export function messagesOf(request: Json): SentMessage[] | null {
  const list = isObject(request) ? request["messages"] : request;
  if (!Array.isArray(list) || list.length === 0) return null;
  const messages = list.map((item): SentMessage | null => {
    if (!isObject(item) || typeof item["role"] !== "string") return null;
    const text = textOf(item["content"]);
    if (text === null) return { role: item["role"], content: JSON.stringify(item["content"] ?? null, null, 2), isText: false };
    return { role: item["role"], content: text, isText: !looksLikeJson(text) };
  });
  return messages.every((message) => message !== null) ? messages : null;
}
