import { dimensionOf, type Dimension, levelOf } from "./levels.ts";
import { bareName, type Reading, stem, wordsOf } from "./reading.ts";
import type { Topic } from "./vocabulary.ts";

/** A choice among labels. */
export interface Choice {
  /** Name of the field. */
  readonly name: string;
  readonly description: string;
  readonly labels: readonly string[];
  /** What each label stands for, where the operator said. */
  readonly meanings: ReadonlyMap<string, string>;
}

/** The labels of a choice, the one that fits best first, with how well each fits. */
export function rankLabels(choice: Choice, reading: Reading): { readonly label: string; readonly fit: number }[] {
  const ranked = byDimension(choice, reading) ?? byTopic(choice, reading);
  // A stable sort: among equals, the first named wins.
  return ranked.toSorted((a, b) => b.fit - a.fit);
}

/** Places of words on a scale from 0 to 1. */
const places: { readonly [label: string]: number } = Object.fromEntries(
  Object.entries({
    0: "none no",
    0.1: "verylow lowest minimal trivial cold negative bad angry micro p4 sev4",
    0.15: "low small minor smb startup little p3 sev3",
    0.3: "cool",
    0.5: "medium normal moderate mid middle mid-market average standard neutral mixed warm",
    0.7: "elevated p2 sev2",
    0.85: "high large big major hot positive good enterprise",
    0.97: "critical urgent highest veryhigh verylarge huge p1 p0 sev1 emergency",
  }).flatMap(([place, words]) => words.split(" ").map((word) => [bareName(word), Number(place)])),
);

function byDimension({ name, description, labels }: Choice, reading: Reading) {
  const placed = labels.map((label) => ({ label, place: places[bareName(label)] }));
  if (placed.some(({ place }) => place === undefined)) return undefined;
  const level = levelOf(dimensionOf(name, description) ?? guessDimension(labels), reading);
  return placed.map(({ label, place = 0 }) => ({ label, fit: 1 - Math.abs(place - level) }));
}

function guessDimension(labels: readonly string[]): Dimension {
  const has = (...words: string[]) => labels.some((label) => words.includes(bareName(label)));
  if (has("small", "large", "enterprise", "smb")) return "size";
  if (has("positive", "negative", "angry")) return "sentiment";
  return has("hot", "cold", "warm") ? "interest" : "urgency";
}

const topicsOfLabels: readonly (readonly [RegExp, Topic])[] = [
  [/sale|purchas|\bbuy|lead|commerc|pricing|quote|\bdeal|demo|prospect/, "buying"],
  [/support|help|customer (?:care|service)|incident|\bbug|defect|problem|issue|outage|broken/, "support"],
  [/tech|engineer|integrat|\bapi\b|develop|solution/, "technical"],
  [/bill|financ|accounting|accounts|payment|invoice|refund/, "billing"],
  [/spam|junk|promo|advert|unsolicited/, "spam"],
  [/complain|cancel|churn|escalat/, "complaint"],
  [/prais|compliment|positive feedback|thank/, "praise"],
  [/partner|resell/, "partnership"],
  [/press|media|journal/, "press"],
  [/\bhr\b|human resources|career|\bjob|recruit/, "people"],
  [/legal|complian|privacy|gdpr/, "legal"],
  [/brows|curious|nurtur|information|newsletter/, "browsing"],
  [/greet|hello|small talk/, "greeting"],
];

const leftovers = /^(?:other|general|unknown|misc|none|unclear|default|inquiry|question)/;

function byTopic({ labels, meanings }: Choice, reading: Reading) {
  return labels.map((label) => {
    const words = wordsOf(label).join(" ");
    const meaning = wordsOf(meanings.get(label) ?? "").join(" ");
    const own = topicsIn(words, reading) + 0.5 * topicsIn(meaning, reading);
    return { label, fit: own + shared(`${words} ${meaning}`, reading) + (leftovers.test(words) ? 0.9 : 0) };
  });
}

function topicsIn(words: string, reading: Reading): number {
  const topics = topicsOfLabels.filter(([pattern]) => pattern.test(words)).map(([, topic]) => topic);
  return topics.reduce((sum, topic) => sum + pull(topic, reading), 0);
}

/** How strongly a message is drawn to whoever handles a topic. */
function pull(topic: Topic, { topics }: Reading): number {
  // Nobody buys from a spammer, and who reports a failure names techniques on the way.
  if (topic === "buying") return topics.spam >= 3 ? 0 : topics.buying + 0.3 * topics.browsing;
  if (topic === "technical") return topics.support >= 3 ? topics.technical * 0.4 : topics.technical;
  if (topic === "support") return topics.support * 1.1 + topics.complaint * 0.5;
  return topic === "billing" || topic === "spam" ? topics[topic] * 1.5 : topics[topic];
}

/** How many words a label and its meaning have in common with the message. */
function shared(words: string, { stems }: Reading): number {
  const telling = new Set(
    words
      .split(" ")
      .filter((word) => word.length > 3)
      .map((word) => stem(word)),
  );
  return [...telling].filter((word) => stems.has(word)).length;
}
