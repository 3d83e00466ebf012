import { levelOf } from "./levels.ts";
import type { Reading } from "./reading.ts";
import type { Topic } from "./vocabulary.ts";

/** Begins every text that the simulated model composes. */
export const simulatedMark = "SIMULATED: ";

/** What a composed text is for. */
export type Purpose = "intent" | "summary" | "reason" | "reply" | "title" | "action";

const namesOfPurposes: readonly (readonly [RegExp, Purpose])[] = [
  [/summar|overview|abstract/, "summary"],
  [/repl|respon|draft|answer|body|write back/, "reply"],
  [/reason|why|explan|rational|justif|evidence/, "reason"],
  [/subject|title|headline/, "title"],
  [/next.?step|action|recommend|suggest|todo/, "action"],
  [/descri|note|detail|analys/, "summary"],
];

/** The purpose that a field's name, or an instruction, speaks of; undefined when it speaks of none. */
export function purposeOf(words: string): Purpose | undefined {
  return namesOfPurposes.find(([pattern]) => pattern.test(words.toLowerCase()))?.[1];
}

/** Composes a text of the message's own words. Without the mark. */
export function compose(purpose: Purpose, reading: Reading): string {
  return composers[purpose](reading);
}

const composers: { readonly [purpose in Purpose]: (reading: Reading) => string } = {
  intent: (reading) => intentOf(reading),
  summary: (reading) => {
    const quote = keySentence(reading);
    return quote === "" ? `${intentOf(reading)}.` : `${intentOf(reading)}. They write: "${shorten(quote, 140)}"`;
  },
  reason: (reading) => {
    const words = evidenceOf(reading);
    return words.length === 0
      ? "It names no need, size or date"
      : `It says ${listOf(words.map((word) => `"${word}"`))}`;
  },
  reply: (reading) => `Thank you for your message. ${acknowledgement(reading)} ${promise(reading)}`,
  title: (reading) => shorten(titleOf(reading), 70),
  action: (reading) => actions[kindOf(reading)],
};

/** The kinds of messages that are spoken of differently. */
type Kind =
  | "spam"
  | "support"
  | "technical"
  | "buying"
  | "browsing"
  | "complaint"
  | "people"
  | "partnership"
  | "empty"
  | "other";

const kindsByTopic: readonly (readonly [Topic, Kind])[] = [
  ["support", "support"],
  ["buying", "buying"],
  ["technical", "technical"],
  ["complaint", "complaint"],
  ["people", "people"],
  ["partnership", "partnership"],
  ["browsing", "browsing"],
];

function kindOf({ topics, stems, hits }: Reading): Kind {
  if (topics.spam >= 3) return "spam";
  const isOnlyGreeting = hits.every(({ topic }) => topic === "greeting" || topic === "praise");
  if (stems.size < 4 && isOnlyGreeting) return "empty";
  const strongest = kindsByTopic.toSorted(([a], [b]) => topics[b] - topics[a])[0];
  return strongest !== undefined && topics[strongest[0]] >= 2 ? strongest[1] : "other";
}

function intentOf(reading: Reading): string {
  const kind = kindOf(reading);
  if (kind === "spam") return "Advertises something and states no need of their own";
  if (kind === "empty") {
    return reading.topics.greeting > 0 ? "Says hello without a request" : "Writes too little to tell what is wanted";
  }
  if (kind === "buying") return `Wants ${wish(reading)}${forWhom(reading)}${byWhen(reading)}`;
  if (kind === "technical") return `Asks about ${techniques(reading)}${forWhom(reading)}${byWhen(reading)}`;
  if (kind === "browsing") return "Looks around without a concrete plan";
  const quote = shorten(keySentence(reading).replace(/[.!?]+$/, ""), 80);
  const openings = {
    support: levelOf("urgency", reading) > 0.67 ? "Reports an urgent problem" : "Reports a problem",
    complaint: "Complains",
    people: "Asks about work",
    partnership: "Proposes a partnership",
    other: "Writes",
  };
  return quote === "" ? openings[kind] : `${openings[kind]}: "${quote}"`;
}

const wishes: readonly (readonly [RegExp, string])[] = [
  [/quot|angebot|devis|cotización|proposal|presupuesto/, "a quote"],
  [/pric|cost|how much|preise|tarif|precio/, "pricing"],
  [/demo/, "a demo"],
  [/pilot|trial/, "a trial"],
  [/renew/, "to renew"],
  [/upgrade/, "to upgrade"],
  [/buy|purchas|order|contract|kaufen|bestell|acheter|commander|comprar|roll ?out|sign/, "to buy"],
];

function wish({ hits }: Reading): string {
  const phrases = hits.filter(({ topic }) => topic === "buying").map(({ phrase }) => phrase);
  const found = wishes.filter(([pattern]) => phrases.some((phrase) => pattern.test(phrase))).map(([, words]) => words);
  return found.length === 0 ? "to know whether the product fits" : listOf(found.slice(0, 2));
}

function techniques({ hits }: Reading): string {
  const phrases = hits.filter(({ topic }) => topic === "technical").map(({ phrase }) => phrase);
  const acronyms = /\b(?:api|sso|saml|oauth|scim|sdk)\b/g;
  return listOf(
    [...new Set(phrases)].slice(0, 3).map((phrase) => phrase.replaceAll(acronyms, (word) => word.toUpperCase())),
  );
}

function forWhom({ quantities: { seats, money } }: Reading): string {
  const size = seats ? ` for ${seats.count.toLocaleString("en")} ${seats.unit}` : "";
  return money ? `${size} with a budget of ${money.text}` : size;
}

function byWhen({ quantities: { deadline }, topics }: Reading): string {
  if (deadline !== undefined) return `, ${deadline}`;
  if (topics.urgent >= 3 && topics.urgent > topics.calm) return ", as soon as possible";
  return topics.calm > 1 && topics.calm > topics.urgent ? ", without hurry" : "";
}

function titleOf(reading: Reading): string {
  const kind = kindOf(reading);
  if (kind === "buying") return capitalise(`${wish(reading).replace(/^(?:a|to) /, "")}${forWhom(reading)}`);
  if (kind === "technical") return capitalise(techniques(reading));
  return kind === "empty" || kind === "spam" ? intentOf(reading) : keySentence(reading).replace(/[.!?]+$/, "");
}

function acknowledgement(reading: Reading): string {
  const kind = kindOf(reading);
  if (kind === "buying") return `You are interested in ${wish(reading)}${forWhom(reading)}.`;
  if (kind === "technical") return `You have a question about ${techniques(reading)}.`;
  if (kind === "support") return "We are sorry that something does not work as it should.";
  return kind === "complaint" ? "We are sorry that we disappointed you." : "We have read it.";
}

function promise(reading: Reading): string {
  return levelOf("urgency", reading) > 0.67
    ? "A colleague will answer you today."
    : "A colleague will answer you soon.";
}

const actions: { readonly [kind in Kind]: string } = {
  spam: "Close without an answer",
  support: "Hand over to support and ask for what is missing",
  technical: "Have a technical colleague answer",
  buying: "Have sales call back",
  browsing: "Send general information",
  complaint: "Have somebody senior call",
  people: "Hand over to the people team",
  partnership: "Hand over to the partner team",
  empty: "Ask what it is about",
  other: "Read and decide",
};

/** The sentence with the most weight in it. */
function keySentence({ sentences, hits }: Reading): string {
  const phrases = hits.filter(({ topic }) => topic !== "greeting" && topic !== "praise");
  const weightOf = (sentence: string) =>
    phrases.reduce((sum, { phrase, weight }) => sum + (sentence.toLowerCase().includes(phrase) ? weight : 0), 0);
  const weighed = sentences.slice(0, 200).map((sentence) => ({ sentence, weight: weightOf(sentence) }));
  return weighed.toSorted((a, b) => b.weight - a.weight)[0]?.sentence ?? "";
}

/** The phrases that counted, the strongest first. */
export function evidenceOf({ hits, quantities: { seats, money, deadline } }: Reading): string[] {
  const figures = [seats && `${seats.count} ${seats.unit}`, money?.text, deadline].filter((item) => item !== undefined);
  const phrases = hits.filter(({ topic }) => topic !== "greeting").toSorted((a, b) => b.weight - a.weight);
  return [...new Set([...figures, ...phrases.map(({ phrase }) => phrase)])].slice(0, 4);
}

function listOf(items: readonly string[]): string {
  return new Intl.ListFormat("en-GB").format(items);
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Cuts between words. */
export function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const cut = text.slice(0, Math.max(0, maxLength - 1));
  return `${cut.replace(/\s+\S*$/, "") || cut}…`.slice(0, maxLength);
}
