import { commonWords, neverNames, ordinarySurnames, placeNames, titles } from "./common-words.ts";
import { firstNames, surnameEnd } from "./first-names.ts";
import type { Span } from "./rule.ts";
import { textBefore } from "./rule.ts";

/** Some words with capital letters next to each other that may be a person's name. */
export interface NameCandidate extends Span {
  readonly words: readonly string[];
  /** Whether nothing but the beginning of a sentence or line stands before it, where any word has a capital letter. */
  readonly opensSentence: boolean;
}

/** A candidate without its first word. */
export function withoutFirst(candidate: NameCandidate, text: string): NameCandidate | undefined {
  const { start, end, words } = candidate;
  const [first = "", ...rest] = words;
  const next = /^\.?[ \u00a0]+/u.exec(text.slice(start + first.length, end))?.[0].length;
  if (rest.length === 0 || next === undefined) return undefined;
  return { start: start + first.length + next, end, words: rest, opensSentence: false };
}

/** `yes`, `no`, or a question for a better reader. */
export type NameVerdict = "yes" | "no" | "perhaps";

const word = String.raw`\p{Lu}[\p{L}\p{M}]{0,24}(?:['’-]\p{L}[\p{L}\p{M}]{0,24}){0,2}`;
const particle = "(?:de|da|do|dos|das|del|della|di|du|la|le|van|von|der|den|ter|ten|bin|ibn|al|el|y)";
const run = new RegExp(
  String.raw`(?=\p{Lu})(?<![\p{L}\p{M}\p{N}_@./\\-])(?:\p{Lu}\.[ \u00a0]){0,2}${word}(?:[ \u00a0](?:${particle} ){0,2}(?:\p{Lu}\.|${word})){0,5}(?![\p{L}\p{N}_@]|-[\p{L}\p{N}])`,
  "gu",
);

/** All candidates of a text; ends at words that are no names. Linear in the text. */
export function* nameCandidatesOf(text: string): Generator<NameCandidate> {
  for (const match of text.matchAll(run)) yield* partsOf(text, match[0], match.index);
}

function* partsOf(text: string, written: string, offset: number): Generator<NameCandidate> {
  const words = [...written.matchAll(/[^ \u00a0]+/gu)].map((match) => ({
    text: match[0],
    start: offset + match.index,
  }));
  let open: typeof words = [];
  for (const next of [...words, undefined]) {
    const isPart = next !== undefined && !endsName(next.text);
    const [, owner] = (isPart && /^(.+)['’]s$/u.exec(next.text)) || [];
    if (isPart) open.push(owner === undefined ? next : { ...next, text: owner });
    // "Jane's Audi" is a person and a thing.
    if (!isPart || owner !== undefined) {
      const candidate = candidateOf(text, open);
      if (candidate !== undefined) yield candidate;
      open = [];
    }
  }
}

function endsName(written: string): boolean {
  // A particle: "de la".
  if (/^\p{Ll}/u.test(written)) return false;
  const lower = written.toLowerCase().replace(/\.$/, "");
  // OpenAI, TypeScript; not McAllister or DeLuca.
  const isCamelCase = /\p{Ll}\p{Lu}/u.test(written.replace(/^(?:Ma?c|De|Di|Da|Le|La|Lo|Fitz|Van|Von)(?=\p{Lu})/u, ""));
  return neverNames.has(lower) || titles.has(lower) || isCamelCase;
}

function candidateOf(text: string, words: readonly { text: string; start: number }[]): NameCandidate | undefined {
  const [first] = words;
  // A particle or an initial ends no name.
  const last = words.findLast((each) => /^\p{Lu}['’]?\p{L}/u.test(each.text));
  if (first === undefined || last === undefined || first.start > last.start) return undefined;
  const end = last.start + last.text.length;
  const opensSentence = /(?:^|[.!?:;\n\0"“”'‘(<>*•|{[-]|--) {0,3}$/u.test(textBefore(text, first.start, 6));
  const inside = words.slice(0, words.indexOf(last) + 1).map((each) => each.text.replace(/\.$/, ""));
  return { start: first.start, end, words: inside, opensSentence };
}

/** With a capital letter: "2.5 ms CPU" names nobody. */
const capitalTitles = [...titles].map((title) => title.charAt(0).toUpperCase() + title.slice(1));
const titleBefore = new RegExp(
  String.raw`(?<![\p{L}])(?:${capitalTitles.join("|")}|MR|MRS|MS|DR|don|doña|señor|señora|señorita|monsieur|madame)\.? $`,
  "u",
);
const greetingBefore =
  /(?<!\p{L})(?:dear|hi|hello|hey|hallo|liebe[rs]?|lieber|bonjour|salut|hola|querid[oa]|estimad[oa]|cher|chère|ciao|gentile|beste|geachte|good (?:morning|afternoon|evening)|thanks|thank you|thx|cheers),? {1,2}(?:\p{L}{1,8}\.? )?$/iu;
const phraseBefore =
  /(?<!\p{L})(?:my name is|name is|i am|i'm|this is|ich bin|mein name ist|je m'appelle|me llamo|mi chiamo|ik ben|attn|c\/o|signed by|reported by|assigned to|speak to|spoke (?:to|with)|ask for|on behalf of|regards to|kunde|kundin|patientin|account holder|merci) ["']?$/iu;
const labelBefore =
  /(?<!\p{L})(?:name|contact|customer|patient|client|applicant|employee|candidate|caller|requester|reporter|assignee|reported by|assigned to|account manager|attn|attention|signed|from|to|cc|bcc|re|witness|insured|visitor|account holder|present|attendees|sponsor|merci)["']?[:,=] ?["']?$/iu;
const closingBefore =
  /(?<!\p{L})(?:regards|wishes|sincerely|faithfully|cheers|thanks|thank you|many thanks|yours|grüße[n]?|gruß|cordialement|salutations|saludos|atentamente|saluti|groet(?:en)?|best|love),?[ \0]{0,2}(?:\n[ \n\0-]{0,4}){1,2}$/iu;
/** The beginning of a line of a chat: `[10:22] Jane: `. */
const speakerBefore = /(?:^|\n)\W{0,2}[\dT ./-]{0,12}\d{1,2}:\d\d(?::\d\d)?(?:Z| ?[ap]m)?[\])]?,? {1,2}(?:- )?$/iu;
const addressAfter = /^["']?,? {0,2}[<([]{1,2}(?:mailto:)?[\p{L}\p{N}._%+-]{1,64}@/u;
const speechAfter = /^ (?:wrote|writes|said|says|schrieb|a écrit|escribió|ha scritto|schreef)\b/;

/** Judges a candidate by lists and by the words around it. `isFirstName` may know more first names than the built-in list. */
export function judgeName(
  candidate: NameCandidate,
  text: string,
  isFirstName: (word: string) => boolean = () => false,
): NameVerdict {
  const { words, start, end } = candidate;
  const lower = words.map((each) => each.toLowerCase());
  const before = textBefore(text, start, 40);
  const [first = "", last = ""] = [lower[0], lower.at(-1)];
  const isOrdinary = lower.every((each) => commonWords.has(each));
  const isKnownFirst = isListedName(first) || isFirstName(first);
  if (words.length > 5) return "no";
  if (titleBefore.test(before) || speechAfter.test(text.slice(end, end + 12))) return "yes";
  if (text.charAt(end) === ":" && speakerBefore.test(before) && !isOrdinary) return "yes";
  if (greetingBefore.test(before) || closingBefore.test(before)) return "yes";
  if (addressAfter.test(text.slice(end, end + 70)) && (words.length > 1 || isKnownFirst)) return "yes";
  if ((labelBefore.test(before) || phraseBefore.test(before)) && (words.length > 1 || isKnownFirst) && !isOrdinary)
    return "yes";
  if (words.length === 1) return judgeSingle(candidate, first, isKnownFirst);
  // Abbreviations, and headings in capitals; a name in capitals is known by its first part or the words before it.
  if (words.every(isShouted) && !isKnownFirst) return "no";
  // "Mark Brown" and "Rose Garden" are told apart by a better reader.
  const isDoubtful =
    commonWords.has(first) && commonWords.has(last) && (candidate.opensSentence || !ordinarySurnames.has(last));
  if (isKnownFirst) return isDoubtful ? "perhaps" : "yes";
  // "Payout EUR": a code among words.
  const isCode = words.some(isShouted) && !words.every(isShouted);
  if (isOrdinary || isCode) return "no";
  if (surnameEnd.test(last) && last.length >= 5 && !commonWords.has(first)) return "yes";
  return "perhaps";
}

/** Endings of English nouns and adjectives that no name has. */
const ordinaryEnd =
  /(?:tion|sion|ment|ness|ity|ship|ing|ance|ence|ics|ive|able|ible|ware|ology|ies|ous|ful|less|ical|ized|ised|ary|age|ure|ism|ist|hood|sis|ages|tions|ments|ters)$/;

/** Whether a word, in lower case, is an ordinary one rather than part of a name. */
export function isOrdinaryWord(word: string): boolean {
  return commonWords.has(word) || neverNames.has(word) || (word.length > 5 && ordinaryEnd.test(word));
}

/** A first name alone. An ordinary word only in the middle of a sentence, where its capital letter means something. */
function judgeSingle({ opensSentence, words }: NameCandidate, name: string, isKnownFirst: boolean): NameVerdict {
  const isLoud = words.every(isShouted);
  if (!isKnownFirst || name.length < 3 || placeNames.has(name)) return "no";
  return commonWords.has(name) && (opensSentence || isLoud) ? "no" : "yes";
}

function isShouted(word: string): boolean {
  return word.length > 1 && word === word.toUpperCase();
}

/** Whether the built-in list has a first name, in lower case: `jean-luc` by its first part, `zoë` as `zoe`. */
export function isListedName(name: string): boolean {
  if (firstNames.has(name)) return true;
  const plain = name.normalize("NFD").replaceAll(/\p{M}/gu, "");
  return firstNames.has(plain) || firstNames.has(plain.split("-")[0] ?? "");
}
