import type { Json } from "./api.ts";

/** A text that a person typed, read as JSON; or what keeps it from being JSON. */
export function parseJson(text: string): { readonly value: Json } | { readonly mistake: string } {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { mistake: error instanceof Error ? error.message : String(error) };
  }
}
