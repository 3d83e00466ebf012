import { isRecord, type Json } from "../../core/index.ts";
import { type Quantities, readQuantities } from "./quantities.ts";
import { contraries, negators, type Topic, vocabulary } from "./vocabulary.ts";

/** A phrase that was found. */
export interface Hit {
  readonly phrase: string;
  readonly topic: Topic;
  readonly weight: number;
}

/** What the simulated model made of the data that it was sent. */
export interface Reading {
  /** Each sent value by its name in lower case without punctuation: `deal_size` is `dealsize`. */
  readonly fields: ReadonlyMap<string, string | number | boolean>;
  /** The words of the message, all texts together. */
  readonly text: string;
  readonly sentences: readonly string[];
  /** Stems of all words. */
  readonly stems: ReadonlySet<string>;
  readonly hits: readonly Hit[];
  /** How much the message speaks for each topic; 0 when it does not. */
  readonly topics: { readonly [topic in Topic]: number };
  readonly quantities: Quantities;
}

/** Who or where somebody is says nothing about what they want: "Urgent Care Ltd" is not in a hurry. */
const identityFields =
  /^(?:.*name|company|organi[sz]ation|employer|e?mail|phone|telephone|id|url|website|domain|address|city|country)$/;

/** A message longer than this is judged by its beginning. */
const maxCharacters = 20_000;

/** Reads the sent data, word by word. */
export function readMessage(data: unknown): Reading {
  const leaves = [...leavesOf(data, "")];
  const texts = leaves.filter(({ key, value }) => typeof value === "string" && !identityFields.test(key));
  const text = texts
    .map(({ value }) => String(value).normalize("NFKC").replaceAll("’", "'"))
    .join("\n")
    .slice(0, maxCharacters);
  const figures = leaves.filter(({ value }) => typeof value === "number").map(({ key, value }) => `${value} ${key}`);
  const quantities = readQuantities([text, ...figures].join("\n"));
  const clauses = text.split(/[.!?;:,\n()]+|\b(?:but|however|aber|mais|pero)\b/i);
  // Each phrase counts once, however often it is repeated.
  const found = clauses
    .flatMap((clause) => findPhrases(clause))
    .map((hit) => [`${hit.topic} ${hit.phrase}`, hit] as const);
  const hits = [...new Map(found).values()];
  return {
    fields: new Map(leaves.map(({ key, value }) => [key, value])),
    text,
    sentences: text
      .split(/(?<=[.!?])\s+|\n+/)
      .map((sentence) => sentence.trim())
      .filter((sentence) => sentence !== ""),
    stems: new Set(wordsOf(text).map((word) => stem(word))),
    hits,
    topics: weigh(hits, text, quantities),
    quantities,
  };
}

/** Lower-case words; a hyphen parts words. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:'[\p{L}]+)?/gu) ?? [];
}

/** A word without the plain plural, so that `webhooks` is `webhook`. */
export function stem(word: string): string {
  return word.length > 3 && !word.endsWith("ss") ? word.replace(/s$/, "") : word;
}

/** The letters and digits of a field's name. */
export function bareName(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

interface Leaf {
  readonly key: string;
  readonly value: string | number | boolean;
}

function* leavesOf(value: unknown, key: string, depth = 0): Generator<Leaf> {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") yield { key, value };
  if (depth > 8) return;
  if (Array.isArray(value)) for (const item of value as Json[]) yield* leavesOf(item, key, depth + 1);
  if (isRecord(value))
    for (const [name, item] of Object.entries(value)) yield* leavesOf(item, bareName(name), depth + 1);
}

interface Entry {
  readonly stems: readonly string[];
  readonly meanings: { readonly topic: Topic; readonly weight: number }[];
}

/** The phrases by the stem of their first word, the longest first. */
const entries = indexVocabulary();

function indexVocabulary(): ReadonlyMap<string, readonly Entry[]> {
  const byPhrase = new Map<string, Entry>();
  for (const [topic, phrases] of Object.entries(vocabulary)) {
    for (const [weight, list] of Object.entries(phrases)) {
      for (const phrase of list.split("|")) {
        const stems = wordsOf(phrase).map((word) => stem(word));
        const entry = byPhrase.get(stems.join(" ")) ?? { stems, meanings: [] };
        entry.meanings.push({ topic: topic as Topic, weight: Number(weight) });
        byPhrase.set(stems.join(" "), entry);
      }
    }
  }
  const longestFirst = [...byPhrase.values()].toSorted((a, b) => b.stems.length - a.stems.length);
  return Map.groupBy(longestFirst, ({ stems }) => stems[0] ?? "");
}

/** How far back a negator reaches: "not interested in a demo". */
const reach = 4;

function findPhrases(clause: string): Hit[] {
  const words = wordsOf(clause);
  const stems = words.map((word) => stem(word));
  const hits: Hit[] = [];
  for (let at = 0; at < stems.length; at += 1) {
    const entry = entries
      .get(stems[at] ?? "")
      ?.find((candidate) => candidate.stems.every((part, i) => stems[at + i] === part));
    if (entry === undefined) continue;
    const isNegated = words.slice(Math.max(0, at - reach), at).some((word) => negators.has(word));
    const phrase = words.slice(at, at + entry.stems.length).join(" ");
    for (const { topic, weight } of entry.meanings) {
      const meant = isNegated ? contraries[topic] : topic;
      if (meant !== undefined) hits.push({ phrase: isNegated ? `not ${phrase}` : phrase, topic: meant, weight });
    }
    at += entry.stems.length - 1;
  }
  return hits;
}

/** What the phrases and figures come to. */
function weigh(hits: readonly Hit[], text: string, { seats, money, deadline }: Quantities): Reading["topics"] {
  const topics = Object.fromEntries(Object.keys(vocabulary).map((topic) => [topic, 0])) as { [topic in Topic]: number };
  for (const { topic, weight } of hits) topics[topic] += weight;
  if (deadline !== undefined && !/year|quarter|q[1-4]/i.test(deadline)) topics.urgent += 2;
  if ((text.match(/!/g)?.length ?? 0) > 1) topics.urgent += 1;
  if ((text.match(/https?:\/\//g)?.length ?? 0) > 1) topics.spam += 2;
  // Somebody in trouble names figures as well.
  if (topics.support < 3) topics.buying += (seats ? 2 : 0) + (money ? 2 : 0);
  return topics;
}
