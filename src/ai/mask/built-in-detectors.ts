import { type Breather, createBreather } from "./breather.ts";
import { cardRule, ibanRule } from "./bank-numbers.ts";
import { birthDateInWordsRule, birthDateRule } from "./birth-dates.ts";
import { companyRule } from "./companies.ts";
import { emailRule } from "./emails.ts";
import type { Detector, Finding } from "./finding.ts";
import { ipv4Rule, ipv6Rule } from "./ip-addresses.ts";
import { announcedKeyRule, authorizationRule, knownKeyRule, privateKeyRule, urlCredentialsRule } from "./keys.ts";
import { loadNameLibrary, type NameLibrary } from "./name-library.ts";
import {
  isListedName,
  isOrdinaryWord,
  judgeName,
  type NameCandidate,
  nameCandidatesOf,
  withoutFirst,
} from "./names.ts";
import { nhsNumberRule, niNumberRule, ssnRule } from "./national-numbers.ts";
import { phoneRule } from "./phones.ts";
import { fiveDigitPostcodeRule, ukPostcodeRule } from "./postcodes.ts";
import { type Rule, textBefore, wholeOf } from "./rule.ts";
import {
  englishAddressRule,
  frenchAddressRule,
  germanicAddressRule,
  namedHouseRule,
  postBoxRule,
  prepositionAddressRule,
  southernAddressRule,
} from "./street-addresses.ts";

/** {@link Finding.source} of what is told by how it is written. */
export const rulesSource = "rules";
const namesSource = "names";

/** What may be written without a digit. */
const rulesOfAnyText: readonly Rule[] = [
  privateKeyRule,
  knownKeyRule,
  authorizationRule,
  urlCredentialsRule,
  announcedKeyRule,
  emailRule,
  ipv6Rule,
  namedHouseRule,
];

/** Of two rules that claim the same characters, the first one's kind counts. */
const rules: readonly Rule[] = [
  ...rulesOfAnyText,
  ibanRule,
  cardRule,
  niNumberRule,
  nhsNumberRule,
  ssnRule,
  birthDateRule,
  birthDateInWordsRule,
  phoneRule,
  ipv4Rule,
  ukPostcodeRule,
  fiveDigitPostcodeRule,
  englishAddressRule,
  germanicAddressRule,
  prepositionAddressRule,
  frenchAddressRule,
  southernAddressRule,
  postBoxRule,
];

/** What Sluice finds by itself: first by rules, then names of people and companies. Loads their libraries when they are first needed. */
export function builtInDetectors(): readonly Detector[] {
  return [
    {
      name: rulesSource,
      find: (texts, signal) =>
        findEach(texts, signal, (text, breather) =>
          findByRules(/\d/.test(text) ? rules : rulesOfAnyText, rulesSource, text, breather),
        ),
    },
    { name: namesSource, find: (texts, signal) => findEach(texts, signal, findNames) },
  ];
}

async function findEach(
  texts: readonly string[],
  signal: AbortSignal | undefined,
  find: (text: string, breather: Breather) => Promise<Finding[]>,
): Promise<Finding[][]> {
  const breather = createBreather(signal);
  const found: Finding[][] = [];
  for (const text of texts) found.push(await find(text, breather));
  return found;
}

async function findByRules(
  rules: readonly Rule[],
  source: string,
  text: string,
  breather: Breather,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { kind, pattern, accept } of rules) {
    // Its own copy: a pattern with a position must not be shared by texts that are searched at the same time.
    const search = new RegExp(pattern);
    for (let candidate = search.exec(text); candidate !== null; candidate = search.exec(text)) {
      const spans = accept === undefined ? [wholeOf(candidate)] : await accept(candidate, text);
      for (const { start, end } of spans) found.push({ start, end, kind, source });
      search.lastIndex = Math.max(search.lastIndex, spans.at(-1)?.end ?? 0);
      await breather.breathe();
    }
    await breather.breathe();
  }
  return found;
}

/** Companies by their legal form; names by lists and the words around them, and by the library where these leave it open. */
async function findNames(text: string, breather: Breather): Promise<Finding[]> {
  const companies = await findByRules([companyRule], namesSource, text, breather);
  const people: NameCandidate[] = [];
  const others: NameCandidate[] = [];
  for (const candidate of nameCandidatesOf(text)) {
    const { name, isPerson } = await readCandidate(candidate, text);
    (isPerson ? people : others).push(name);
    await breather.breathe();
  }
  const surnames = new Set(people.flatMap(({ words }) => (words.length > 1 ? words.slice(-1) : [])));
  const again = others.filter(
    ({ words: [word = "", ...more] }) => more.length === 0 && word.length > 2 && surnames.has(word),
  );
  const found = [...people, ...again].map(
    ({ start, end }) => ({ start, end, kind: "PERSON", source: namesSource }) as const,
  );
  return [...companies, ...found];
}

/** What is judged, without a word that only opens the sentence, and whether it is a person. */
async function readCandidate(
  candidate: NameCandidate,
  text: string,
): Promise<{ name: NameCandidate; isPerson: boolean }> {
  const verdict = judgeName(candidate, text);
  if (verdict !== "perhaps") return { name: candidate, isPerson: verdict === "yes" };
  const library = await loadNameLibrary();
  const first = candidate.words[0]?.toLowerCase() ?? "";
  // "Later Jane Doyle agreed".
  const isOpening = candidate.opensSentence && library.isOrdinary(first) && !isListedName(first);
  const rest = isOpening ? withoutFirst(candidate, text) : undefined;
  return rest ? readCandidate(rest, text) : { name: candidate, isPerson: isNameBy(library, candidate, text) };
}

function isNameBy(library: NameLibrary, candidate: NameCandidate, text: string): boolean {
  const name = text.slice(candidate.start, candidate.end);
  const words = candidate.words.map((word) => word.toLowerCase());
  if (library.isThing(name.toLowerCase())) return false;
  const isFirstName = (word: string) => library.isFirstName(word);
  const verdict = judgeName(candidate, text, isFirstName);
  if (verdict !== "perhaps") return verdict === "yes";
  const first = words[0] ?? "";
  // A surname may be that of a town, a first name is not: Mendoza, but London Bridge.
  if (words.length === 1 || library.isThing(first)) return false;
  const ordinary = words.filter((word) => isOrdinaryWord(word) || library.isOrdinary(word));
  // Two words that are no English: a name that no list has, or one of a product, which is better masked than a name sent.
  if (ordinary.length === 0) return true;
  const mayBe = ordinary.length < words.length || isListedName(first) || isFirstName(first);
  return mayBe && library.seesPerson(sentenceAround(candidate, text), name);
}

/** A few words before and after are what the library judges by. */
function sentenceAround({ start, end }: NameCandidate, text: string): string {
  const before = /[^.!?\n"{}[\]\0]{0,24}$/.exec(textBefore(text, start, 24))?.[0] ?? "";
  const after = /^[^.!?\n"{}[\]\0]{0,16}/.exec(text.slice(end, end + 16))?.[0] ?? "";
  return before.replace(/^\S* /, "") + text.slice(start, end) + after.replace(/ \S*$/, "");
}
