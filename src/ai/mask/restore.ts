import { isRecord } from "../../core/index.ts";
import { type Originals, placeholderPattern } from "./placeholders.ts";

const placeholders = new RegExp(placeholderPattern, "g");

/**
 * Puts originals back in a text. A placeholder that is not among them stays as it is. One pass: an original that looks like a
 * placeholder itself is not restored again.
 */
export function restoreText(text: string, originals: Originals): string {
  return text.replaceAll(placeholders, (placeholder) => originalOf(originals, placeholder));
}

function originalOf(originals: Originals, placeholder: string): string {
  return Object.hasOwn(originals, placeholder) ? (originals[placeholder] ?? placeholder) : placeholder;
}

/** {@link restoreText} in every string of a JSON value, names of fields too. Everything else is returned as it is. */
export function restoreValue<T>(value: T, originals: Originals): T {
  return restoreAny(value, originals) as T;
}

function restoreAny(value: unknown, originals: Originals): unknown {
  if (typeof value === "string") return restoreText(value, originals);
  if (Array.isArray(value)) return value.map((item) => restoreAny(item, originals));
  if (!isRecord(value)) return value;
  // fromEntries defines fields, so that even one named __proto__ is only a field.
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [restoreText(name, originals), restoreAny(item, originals)]),
  );
}

/** Restores a text that comes in pieces. */
export interface StreamRestorer {
  /** Takes the next piece; gives what is certain by now, restored. */
  push(chunk: string): string;
  /** Gives what was held back. */
  end(): string;
}

/** Makes a restorer that holds back what may be the beginning of a placeholder: at most as much as the longest placeholder is long. */
export function createStreamRestorer(originals: Originals): StreamRestorer {
  const beginnings = new Set(Object.keys(originals).flatMap(beginningsOf));
  const longest = Object.keys(originals).reduce((length, placeholder) => Math.max(length, placeholder.length), 0);
  let held = "";
  return {
    push(chunk) {
      const text = held + chunk;
      let from = Math.max(0, text.length - longest);
      while (from < text.length && !beginnings.has(text.slice(from))) from += 1;
      // Digits that follow belong to what stands before them: PERSON_1 may become PERSON_12.
      held = text.slice(from);
      return restoreText(text.slice(0, from), originals);
    },
    end() {
      const rest = restoreText(held, originals);
      held = "";
      return rest;
    },
  };
}

function beginningsOf(placeholder: string): string[] {
  return Array.from(placeholder, (_, index) => placeholder.slice(0, index + 1));
}
