import { filler, fold, joins } from "./characters.ts";

/**
 * How values and texts are compared.
 * - `exact`: code unit by code unit.
 * - `words`: whatever the case; any white space equals any other.
 * - `digits`: whatever the case; spaces and the usual marks between digits do not count.
 */
export type Reading = "exact" | "words" | "digits";

/** Where a value stands in a text, and what was kept with the value. */
export interface ValueMatch<Entry> {
  readonly start: number;
  readonly end: number;
  readonly entry: Entry;
}

interface FindOptions<Entry> {
  /** May refuse a match. Default: takes all. */
  readonly accepts?: (match: ValueMatch<Entry>) => boolean;
  /** A text of the same length that shows where words begin and end. Default: the text itself. */
  readonly edges?: string;
}

interface Node<Entry> {
  readonly next: Map<number, Node<Entry>>;
  entry?: Entry;
}

const fillerCode = filler.charCodeAt(0);
const space = 32;
/** Does not count in a comparison. */
const nothing = -1;

/** Many values, found in one pass over a text, only where they are not part of a longer word. */
export class ValueTrie<Entry> {
  readonly #reading: Reading;
  readonly #root: Node<Entry> = { next: new Map() };

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Adds a value. The first entry of a value stays. */
  add(value: string, entry: Entry): void {
    const folded = this.#fold(value.trim());
    let node = this.#root;
    let last = nothing;
    for (let at = 0; at < folded.length; at += 1) {
      const code = this.#read(folded.charCodeAt(at));
      if (code !== nothing && !(code === space && last === space && this.#reading === "words")) {
        let next = node.next.get(code);
        if (next === undefined) node.next.set(code, (next = { next: new Map() }));
        node = next;
        last = code;
      }
    }
    if (node !== this.#root) node.entry ??= entry;
  }

  /** Finds the values, the longest at each place, none inside another. Gives undefined now and then, so that the caller can take a breath. */
  *find(
    text: string,
    { accepts = () => true, edges = text }: FindOptions<Entry> = {},
  ): Generator<ValueMatch<Entry> | undefined> {
    if (this.#root.next.size === 0) return;
    const folded = this.#fold(text);
    for (let at = 0; at < folded.length; at += 1) {
      if (at % 4096 === 0) yield undefined;
      const first = this.#root.next.get(this.#read(folded.charCodeAt(at)));
      if (first !== undefined && !isInside(edges, at)) {
        const match = this.#longestAt(folded, at, { accepts, edges });
        if (match !== undefined) {
          yield match;
          at = match.end - 1;
        }
      }
    }
  }

  #longestAt(folded: string, start: number, { accepts, edges }: Required<FindOptions<Entry>>) {
    let node: Node<Entry> | undefined = this.#root;
    let longest: ValueMatch<Entry> | undefined;
    let last = nothing;
    for (let at = start; at < folded.length; at += 1) {
      const code = this.#read(folded.charCodeAt(at));
      if (code !== nothing && !(code === space && last === space && this.#reading === "words")) {
        node = node.next.get(code);
        if (node === undefined) return longest;
        last = code;
        const match = node.entry !== undefined && { start, end: at + 1, entry: node.entry };
        if (match && !isInside(edges, nextAfter(edges, at)) && accepts(match)) longest = match;
      }
    }
    return longest;
  }

  #fold(text: string): string {
    return this.#reading === "exact" ? text : fold(text);
  }

  #read(code: number): number {
    if (this.#reading === "exact") return code;
    if (code === fillerCode) return nothing;
    if (this.#reading === "digits") return isSeparator(code) ? nothing : code;
    return isSpace(code) ? space : code;
  }
}

/** Whether a place lies between two characters of one word. */
function isInside(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === fillerCode) before -= 1;
  return joins(text.charCodeAt(at)) && joins(text.charCodeAt(before));
}

function nextAfter(text: string, at: number): number {
  let next = at + 1;
  while (text.charCodeAt(next) === fillerCode) next += 1;
  return next;
}

function isSpace(code: number): boolean {
  return (
    code === space ||
    (code >= 9 && code <= 13) ||
    code === 0xa0 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x202f
  );
}

/** Spaces, and the marks that people write between the groups of a number. */
function isSeparator(code: number): boolean {
  return isSpace(code) || (code >= 0x2010 && code <= 0x2013) || "().-/+".includes(String.fromCharCode(code));
}
