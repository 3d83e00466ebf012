import { type EntityKind, type MaskPolicy, SluiceError } from "../../core/index.ts";
import { type Breather, createBreather } from "./breather.ts";
import { commonWords } from "./common-words.ts";
import { addToBareParts, type Piece, resolveFindings, widenPieces } from "./coverage.ts";
import type { Detector, Finding, KnownValue } from "./finding.ts";
import { createKnownFinder, type KnownFinder } from "./known-finder.ts";
import { kindOf, type Originals, PlaceholderBook, type PlaceholderKind, placeholderPattern } from "./placeholders.ts";
import { type ReadableText, toReadable } from "./readable-text.ts";
import { askDetectors } from "./ask-detectors.ts";
import { isSubject, subjectsOf } from "./subjects.ts";
import { ValueTrie } from "./value-trie.ts";

/** What {@link createMasker} takes. */
export interface MaskerOptions {
  /** What happens to each kind. */
  readonly policy: MaskPolicy;
  /** Values whose kind the event's fields gave: see `knownValuesOf`. */
  readonly known: readonly KnownValue[];
  /** The placeholders of earlier calls of the run. Default: none. */
  readonly originals?: Originals;
  /** Who looks for values, beside the known ones: see `builtInDetectors` and `createPresidioDetector`. */
  readonly detectors: readonly Detector[];
}

/** Masks the texts of a run: the same value has the same placeholder in all of them. */
export interface Masker {
  /**
   * Masks texts that belong together, such as those of one request. Lets the event loop turn in the middle of long texts.
   *
   * @throws MASKING_FAILED when a detector fails, takes too long or gives nonsense; nothing may be sent then. `retryable` when it was unavailable.
   * @throws MASKING_BLOCKED when a kind was found that the policy blocks; names the kinds, never a value.
   */
  mask(texts: readonly string[]): Promise<MaskedTexts>;
  /** All placeholders so far. */
  readonly originals: Originals;
}

/** Texts as they may be sent. */
export interface MaskedTexts {
  /** In the order of the texts that were given. */
  readonly texts: readonly string[];
  /** The placeholders that stand in these texts: what an answer to them may have restored. */
  readonly originals: Originals;
  /** How many different values of each kind were masked, for people. */
  readonly counts: { readonly [Kind in EntityKind]?: number };
  /** Whose data the texts hold, allowed kinds too, each in the form of `normaliseSubject`: for the search by subject. */
  readonly subjects: readonly KnownValue[];
}

/** Makes the masker of a run. Loads no library before the first text. */
export function createMasker({ policy, known, originals = {}, detectors }: MaskerOptions): Masker {
  const book = new PlaceholderBook(originals);
  let finder: Promise<KnownFinder> | undefined;
  return {
    get originals() {
      return book.originals;
    },
    async mask(texts) {
      const breather = createBreather();
      const readable = texts.map(toReadable);
      const find = await (finder ??= createKnownFinder(known));
      const [found, knownFound] = await Promise.all([
        askDetectors(
          detectors,
          readable.map((text) => text.readable),
        ),
        findKnown(find, readable, breather),
      ]);
      const findings = readable.map((_, index) => [...(knownFound[index] ?? []), ...(found[index] ?? [])]);
      const subjects = await subjectsOf(
        findings.flatMap((each, index) => each.filter(isSubject).map((finding) => valueOf(finding, readable[index]))),
      );
      refuseBlocked(policy, findings.flat());
      const pieces = await piecesOf(readable, withoutAllowed(policy, findings), book, breather);
      return { ...writeTexts(texts, pieces, book), subjects };
    },
  };
}

async function findKnown(find: KnownFinder, texts: readonly ReadableText[], breather: Breather): Promise<Finding[][]> {
  const found: Finding[][] = [];
  for (const { readable } of texts) {
    const findings: Finding[] = [];
    for (const finding of find(readable)) {
      if (finding !== undefined) findings.push(finding);
      await breather.breathe();
    }
    found.push(findings);
  }
  return found;
}

function valueOf({ kind, start, end }: Finding, text: ReadableText | undefined): KnownValue {
  return { kind, value: text?.readable.slice(start, end) ?? "" };
}

function refuseBlocked(policy: MaskPolicy, findings: readonly Finding[]): void {
  const kinds = [...new Set(findings.map(({ kind }) => kind))].filter((kind) => policy[kind] === "block").toSorted();
  if (kinds.length === 0) return;
  throw new SluiceError("MASKING_BLOCKED", {
    message: `the call holds values of kinds that its masking policy blocks: ${kinds.join(", ")}`,
    hint: "Nothing was sent. Leave the fields with these values out of `send`, or let the policy mask the kind.",
    details: { kinds },
  });
}

function withoutAllowed(policy: MaskPolicy, findings: readonly (readonly Finding[])[]): Finding[][] {
  return findings.map((each) => each.filter(({ kind }) => policy[kind] !== "allow"));
}

/** Shorter values are masked where they were found, and not looked for elsewhere. */
const shortestSought = 3;

/**
 * Decides what is masked: what was found; then what only looks like a placeholder, so that restoring touches nothing that was there
 * before; then every other place where the same values stand, also in other texts and those of earlier calls.
 */
async function piecesOf(
  texts: readonly ReadableText[],
  findings: readonly (readonly Finding[])[],
  book: PlaceholderBook,
  breather: Breather,
): Promise<Piece[][]> {
  const sought = new ValueTrie<PlaceholderKind>("exact");
  const seek = (value: string, kind: PlaceholderKind) => isSought(value) && sought.add(value, kind);
  for (const [placeholder, value] of Object.entries(book.originals)) seek(value, kindOf(placeholder));
  const found: Piece[][] = [];
  for (const [index, text] of texts.entries()) {
    const pieces = widenPieces(text.original, resolveFindings(text, findings[index] ?? []));
    for (const { start, end, kind } of pieces) seek(text.original.slice(start, end), kind);
    found.push(pieces);
    await breather.breathe();
  }
  const complete: Piece[][] = [];
  for (const [index, text] of texts.entries()) {
    complete.push(completePieces(text, found[index] ?? [], sought));
    await breather.breathe();
  }
  return complete;
}

/** Not a word like "Will", which a detector takes for a name in one place and which is none in others. */
function isSought(value: string): boolean {
  return value.length >= shortestSought && !commonWords.has(value.toLowerCase());
}

const lookAlike = new RegExp(placeholderPattern, "g");

function completePieces(
  { original, readable }: ReadableText,
  found: readonly Piece[],
  sought: ValueTrie<PlaceholderKind>,
): Piece[] {
  const withLookAlikes = addToBareParts(original.length, found, function* (start, end) {
    for (const { index, 0: text } of original.slice(start, end).matchAll(lookAlike)) {
      yield { start: start + index, end: start + index + text.length, kind: "TEXT" };
    }
  });
  const all = addToBareParts(original.length, withLookAlikes, function* (start, end) {
    for (const match of sought.find(original.slice(start, end), { edges: readable.slice(start, end) })) {
      if (match !== undefined) yield { start: start + match.start, end: start + match.end, kind: match.entry };
    }
  });
  return widenPieces(original, all);
}

function writeTexts(texts: readonly string[], pieces: readonly (readonly Piece[])[], book: PlaceholderBook) {
  const used = new Map<string, string>();
  const masked = texts.map((text, index) => {
    const parts: string[] = [];
    let from = 0;
    for (const { start, end, kind } of pieces[index] ?? []) {
      const value = text.slice(start, end);
      const placeholder = book.placeholderOf(kind, value);
      used.set(placeholder, value);
      parts.push(text.slice(from, start), placeholder);
      from = end;
    }
    return [...parts, text.slice(from)].join("");
  });
  return { texts: masked, originals: Object.fromEntries(used), counts: countsOf([...used.keys()]) };
}

function countsOf(placeholders: readonly string[]): MaskedTexts["counts"] {
  const counts: { [Kind in EntityKind]?: number } = {};
  for (const kind of placeholders.map(kindOf)) if (kind !== "TEXT") counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
