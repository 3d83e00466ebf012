import { type EntityKind, entityKinds } from "../../core/index.ts";
import { commonWords } from "./common-words.ts";
import type { Finding, KnownValue } from "./finding.ts";
import { parsePhone } from "./phone-library.ts";
import { type ValueMatch, ValueTrie } from "./value-trie.ts";

/** {@link Finding.source} of the values that the event's fields gave. */
export const knownSource = "known";

/** Finds the known values in one readable text; undefined now and then, for the caller to take a breath. */
export type KnownFinder = (readable: string) => Generator<Finding | undefined>;

/** Kinds whose values are groups of digits and letters, written with and without spaces. */
const grouped: ReadonlySet<EntityKind> = new Set([
  "PHONE",
  "IBAN",
  "CARD",
  "NI_NUMBER",
  "NHS_NUMBER",
  "SSN",
  "POSTCODE",
]);

interface Entry {
  readonly kind: EntityKind;
  /** Set for an ordinary word, which counts only as it was written, with a capital letter, or as a whole text or string of JSON. */
  readonly ordinary?: string;
}

/**
 * Prepares the search. Upper and lower case, kinds of white space, composed and decomposed accents, and separators in numbers do not
 * count; a telephone number is found with and without its country code.
 */
export async function createKnownFinder(known: readonly KnownValue[]): Promise<KnownFinder> {
  const words = new ValueTrie<Entry>("words");
  const digits = new ValueTrie<Entry>("digits");
  for (const { kind, value } of known.toSorted((a, b) => entityKinds.indexOf(a.kind) - entityKinds.indexOf(b.kind))) {
    if (kind === "PHONE") for (const number of await writingsOf(value)) digits.add(number, { kind });
    const trie = grouped.has(kind) ? digits : words;
    const entry = commonWords.has(value.trim().toLowerCase()) ? { kind, ordinary: value.trim() } : { kind };
    for (const form of new Set([value, value.normalize("NFC"), value.normalize("NFD")])) trie.add(form, entry);
  }
  return function* find(readable) {
    for (const match of words.find(readable, { accepts: (candidate) => isMeant(readable, candidate) })) {
      yield match && { start: match.start, end: match.end, kind: match.entry.kind, source: knownSource };
    }
    for (const match of digits.find(readable)) {
      yield match && { ...widen(readable, match), kind: match.entry.kind, source: knownSource };
    }
  };
}

/** Whether an ordinary word stands for the name: "Will" in "Dear Will", not "will". */
function isMeant(text: string, { start, end, entry }: ValueMatch<Entry>): boolean {
  const { ordinary } = entry;
  if (ordinary === undefined) return true;
  const found = text.slice(start, end);
  const isCapital = /^\p{Lu}/u.test(found);
  const isWholeText = start === 0 && end === text.length;
  const isWholeString = isWholeText || (text.charAt(start - 1) === '"' && text.charAt(end) === '"');
  return isCapital || isWholeString || (found === ordinary && ordinary !== ordinary.toLowerCase());
}

/** Takes in the `+` or `(` that a number begins with. */
function widen(text: string, { start, end }: ValueMatch<Entry>): { start: number; end: number } {
  let first = start;
  while ("+(".includes(text.charAt(first - 1)) && first > 0) first -= 1;
  return { start: first, end };
}

/** The ways to write a telephone number, digits only. */
async function writingsOf(phone: string): Promise<string[]> {
  const number = await parsePhone(phone);
  if (number === undefined) return [];
  const { countryCallingCode: country, nationalNumber: national } = number;
  return [`${country}${national}`, `00${country}${national}`, `${country}0${national}`, `0${national}`, national];
}
