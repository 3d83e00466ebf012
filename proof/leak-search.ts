import { findValues } from "../test/support/stored-text.ts";
import type { Planted } from "./leak-values.ts";

/** Where something that was planted came to light. */
export interface Leak {
  /** Name of the text. */
  readonly place: string;
  /** Name of what was planted. */
  readonly value: string;
}

/**
 * Finds which of the values stand in which text: as they are, in other case, in JSON once and twice escaped, URL-encoded, in
 * hexadecimal digits, and in both kinds of base64 at any place among other bytes.
 */
export function findLeaks(texts: ReadonlyMap<string, string>, values: readonly Planted[]): Leak[] {
  return [...texts].flatMap(([place, text]) =>
    values
      .filter(({ forms }) => findValues(new Map([[place, text]]), forms).length > 0)
      .map(({ name }) => ({ place, value: name })),
  );
}
