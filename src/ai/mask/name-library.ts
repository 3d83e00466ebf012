import { hash } from "node:crypto";

/** Reads names in English text better than lists do, and slower: about half a millisecond for a few words. */
export interface NameLibrary {
  isFirstName(word: string): boolean;
  /** Whether the word is known as anything but a name. */
  isOrdinary(word: string): boolean;
  /** Whether the words are known as a place, a country or an organisation. */
  isThing(words: string): boolean;
  /** Whether the library sees a person in a part of a sentence. */
  seesPerson(sentence: string, name: string): boolean;
}

const firstNameTags = ["FirstName", "MaleName", "FemaleName"];
const thingTags = ["Place", "City", "Country", "Region", "Organization", "SportsTeam"];

let loading: Promise<NameLibrary> | undefined;

/** Loads the library `compromise` (about 50 MB of memory, 0.3 s) with the first question. */
export function loadNameLibrary(): Promise<NameLibrary> {
  loading ??= load();
  return loading;
}

async function load(): Promise<NameLibrary> {
  const { default: nlp } = await import("compromise");
  const lexicon = lexiconOf(nlp.model());
  const tagsOf = (word: string) => (Object.hasOwn(lexicon, word) ? [lexicon[word]].flat() : []);
  const isTagged = (word: string, tags: readonly string[]) =>
    tagsOf(word).some((tag) => typeof tag === "string" && tags.includes(tag));
  const seen = new Map<string, boolean>();
  return {
    isFirstName: (word) => isTagged(word, firstNameTags),
    isOrdinary: (word) =>
      tagsOf(word).length > 0 && !isTagged(word, [...firstNameTags, "LastName", "Person", ...thingTags]),
    isThing: (words) => isTagged(words, thingTags),
    seesPerson(sentence, name) {
      // Only a digest of the words stays in memory.
      const key = hash("sha256", `${name}\n${sentence}`, "base64");
      const known = seen.get(key);
      if (known !== undefined) return known;
      const people: unknown = nlp(sentence).people().out("array");
      const isPerson = Array.isArray(people) && people.some((person) => sharesWord(String(person), name));
      if (seen.size >= mostSeen) seen.clear();
      seen.set(key, isPerson);
      return isPerson;
    },
  };
}

/** Some 100 bytes each. */
const mostSeen = 20_000;

function sharesWord(one: string, other: string): boolean {
  const words = new Set(other.toLowerCase().split(/[^\p{L}]+/u));
  return one
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .some((word) => word.length > 1 && words.has(word));
}

/** The library's own word list: a word, and its tag or tags. */
function lexiconOf(model: unknown): Readonly<Record<string, unknown>> {
  const { one } = model as { readonly one?: { readonly lexicon?: Readonly<Record<string, unknown>> } };
  return one?.lexicon ?? {};
}
