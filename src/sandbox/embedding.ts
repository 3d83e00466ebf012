/** How many numbers of a vector one word changes. More make words less likely to look alike by chance. */
const placesPerWord = 4;
/** So many letters stand for the stem of a longer word: `invoice`, `invoices` and `invoicing` share it. */
const stemLength = 5;
/** What short words count, most of which join others: `the`, `of`, `in`. */
const shortWordWeight = 0.25;

/**
 * A vector of length 1 for a text, made of its words alone: texts that share words are near each other, all others nearly
 * at a right angle. The same text always gives the same vector. It knows no meaning: a stand-in for tests, not for quality.
 */
export function embedText(text: string, dimensions: number): readonly number[] {
  const vector = new Float64Array(dimensions);
  for (const [word, count] of countWords(text)) {
    const weight = Math.sqrt(count) * (word.length <= 3 ? shortWordWeight : 1);
    addWord(vector, word, weight);
    if (word.length > stemLength) addWord(vector, word.slice(0, stemLength), weight);
  }
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  // Two words can cancel each other; no vector may be 0, as its direction would not be defined.
  if (length === 0) vector[0] = 1;
  return Array.from(vector, (value) => round(length === 0 ? value : value / length));
}

/** The cosine of the angle between two vectors of length 1: for texts 1 with the same words, about 0 with none in common. */
export function cosine(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
}

/** Little-endian 32-bit floats. */
export function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}

function countWords(text: string): Map<string, number> {
  const words = text
    .normalize("NFKC")
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [text];
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function addWord(vector: Float64Array, word: string, weight: number): void {
  let bits = hashOf(word);
  for (let place = 0; place < placesPerWord; place += 1) {
    bits = mix(bits);
    const index = bits % vector.length;
    vector[index] = (vector[index] ?? 0) + (bits & 0x4000_0000 ? weight : -weight);
  }
}

/** FNV-1a over UTF-16 code units. @see https://datatracker.ietf.org/doc/draft-eastlake-fnv/ */
function hashOf(word: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < word.length; index += 1) {
    hash = Math.imul(hash ^ word.charCodeAt(index), 0x0100_0193);
  }
  return hash >>> 0;
}

/** The finalizer of MurmurHash3: spreads every bit over all others. */
function mix(bits: number): number {
  let mixed = (bits + 0x9e37_79b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Seven digits are what a 32-bit float holds. */
const round = (value: number): number => Math.round(value * 1e7) / 1e7;
