import { filler } from "./characters.ts";

/** An escape sequence of JSON in a text. */
export interface Escape {
  readonly start: number;
  readonly end: number;
  /** Whether it stands for a letter or digit, and so lies inside a word. */
  readonly isLetter: boolean;
}

/** A text, and the same text as a detector should read it. */
export interface ReadableText {
  readonly original: string;
  /** As long as the original: each escape sequence is the character that it stands for, and fillers. */
  readonly readable: string;
  readonly escapes: readonly Escape[];
}

/** Several backslashes: JSON text inside JSON text. */
const escape = /\\+(?:u[\dA-Fa-f]{4}|["/bfnrt])?/g;
const letter = /[\p{L}\p{N}\p{M}]/u;
const controls: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: " ", f: " " };

/**
 * Resolves the escape sequences of JSON, without which `\u003cjane@company.com` would be an address that begins with `u003c`.
 * Only in a text that has a quotation mark and a backslash; in any other a backslash is a backslash.
 */
export function toReadable(original: string): ReadableText {
  if (!original.includes("\\") || !original.includes('"')) return { original, readable: original, escapes: [] };
  const escapes: Escape[] = [];
  const readable = original.replaceAll(escape, (sequence, start: number) => {
    const character = meaningOf(sequence);
    escapes.push({ start, end: start + sequence.length, isLetter: letter.test(character) });
    return character.padEnd(sequence.length, filler);
  });
  return { original, readable, escapes };
}

function meaningOf(sequence: string): string {
  const unicode = /u(....)$/.exec(sequence)?.[1];
  if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode, 16));
  const last = sequence.at(-1) ?? "\\";
  return controls[last] ?? last;
}
