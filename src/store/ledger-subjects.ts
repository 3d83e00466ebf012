import { digestOf, type EntityKind } from "../core/index.ts";

/** By what a person may be looked for. */
export type SubjectKind = "email" | "phone" | "name" | "id";

/** Makes a keyed digest of a value, from which the value cannot be told. */
export interface BlindIndexer {
  blindIndex(kind: string, value: string): string;
}

/** Which of the values that masking finds tell a person from others. */
const subjectKinds: { readonly [Kind in EntityKind]?: SubjectKind } = {
  EMAIL: "email",
  PHONE: "phone",
  PERSON: "name",
  IBAN: "id",
  CARD: "id",
  NI_NUMBER: "id",
  NHS_NUMBER: "id",
  SSN: "id",
};

/**
 * The same number is written with and without its country: `+44 20 7946 0958`, `020 7946 0958`. Their last nine digits agree,
 * and two people in one company's data whose numbers end alike are rare.
 */
const telltaleDigits = 9;
const fewestDigits = 7;

/** Each gives one text for all ways of writing a value, and nothing for a text that cannot be one. */
const normalise: { readonly [Kind in SubjectKind]: (text: string) => string } = {
  email: (text) => (text.includes("@") ? text.toLowerCase() : ""),
  phone: (text) => {
    const digits = text.replaceAll(/\D/gu, "");
    return digits.length < fewestDigits || /\p{L}/u.test(text) ? "" : digits.slice(-telltaleDigits);
  },
  // "Doe, Jane" is "jane doe", and "José" is "Jose".
  name: (text) => {
    const plain = text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
    return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).toSorted().join(" ");
  },
  id: (text) => text.toUpperCase().replaceAll(/[^\p{L}\p{N}]/gu, ""),
};

/** The blind index of one value of a person, as the table `subjects` holds it; null for a text that cannot be of this kind. */
export function subjectIndex(indexer: BlindIndexer, kind: SubjectKind, value: string): string | null {
  const normalised = normalise[kind](value.normalize("NFKC").trim());
  return normalised === "" ? null : indexer.blindIndex(`subject.${kind}`, normalised);
}

/** The blind indexes of all values, found by masking, that tell a person from others; each once. */
export function subjectIndexes(
  indexer: BlindIndexer,
  values: Iterable<{ readonly kind: EntityKind; readonly value: string }>,
): string[] {
  const indexes = new Set<string>();
  for (const { kind, value } of values) {
    const subjectKind = subjectKinds[kind];
    const index = subjectKind && subjectIndex(indexer, subjectKind, value);
    if (index) indexes.add(index);
  }
  return [...indexes];
}

/** The blind indexes that a text typed by a person may stand for: it is tried as every kind. */
export function candidateIndexes(indexer: BlindIndexer, text: string): string[] {
  const kinds = Object.keys(normalise) as SubjectKind[];
  return kinds.map((kind) => subjectIndex(indexer, kind, text)).filter((index) => index !== null);
}

/** What an entry about an erasure says of whom it was: found again by whoever knows the text, and the key. */
export function erasureDigest(indexes: readonly string[]): string {
  return digestOf(indexes);
}
