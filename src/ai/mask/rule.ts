import type { EntityKind } from "../../core/index.ts";

/** A part of a text, in UTF-16 code units; the end is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A kind of value that can be told by how it is written. */
export interface Rule {
  readonly kind: EntityKind;
  /**
   * Finds candidates in time linear in the text: it begins at the edge of a word, repeats nothing without a bound, and repeats no
   * repetition.
   */
  readonly pattern: RegExp;
  /** Gives the values of a candidate; reads at most a few hundred characters around it. Default: the candidate is the value. */
  readonly accept?: (candidate: RegExpExecArray, text: string) => readonly Span[] | Promise<readonly Span[]>;
}

/** The whole of a candidate. */
export function wholeOf(candidate: RegExpExecArray): Span {
  return { start: candidate.index, end: candidate.index + candidate[0].length };
}

/** One group of a candidate, which must occur in it once. */
export function groupOf(candidate: RegExpExecArray, value: string): Span {
  const start = candidate.index + candidate[0].lastIndexOf(value);
  return { start, end: start + value.length };
}

/** What stands before a place. */
export function textBefore(text: string, at: number, length: number): string {
  return text.slice(Math.max(0, at - length), at);
}
