/** What is left of a pattern to read. */
interface Cursor {
  readonly pattern: string;
  at: number;
}

/**
 * Gives a text that matches a regular expression of the ordinary kind: literals, classes, groups, alternatives and counts.
 * Look-arounds and back references are not obeyed.
 */
export function sampleOf(pattern: string): string {
  return alternatives({ pattern, at: 0 });
}

/** The first alternative is taken, the others are read over. */
function alternatives(cursor: Cursor): string {
  const first = sequence(cursor);
  while (cursor.pattern[cursor.at] === "|") {
    cursor.at += 1;
    sequence(cursor);
  }
  return first;
}

function sequence(cursor: Cursor): string {
  let text = "";
  while (cursor.at < cursor.pattern.length && !"|)".includes(cursor.pattern.charAt(cursor.at))) {
    const atom = readAtom(cursor);
    text += atom.repeat(readCount(cursor));
  }
  return text;
}

function readAtom(cursor: Cursor): string {
  const character = cursor.pattern.charAt(cursor.at);
  cursor.at += 1;
  if (character === "^" || character === "$") return "";
  if (character === ".") return "a";
  if (character === "(") return readGroup(cursor);
  if (character === "[") return readClass(cursor);
  return character === "\\" ? readEscape(cursor) : character;
}

function readGroup(cursor: Cursor): string {
  const opening = /^\?(?::|<?[=!]|<[^>=!]+>)/.exec(cursor.pattern.slice(cursor.at))?.[0] ?? "";
  cursor.at += opening.length;
  const inside = alternatives(cursor);
  cursor.at += 1;
  return /^\?<?[=!]/.test(opening) ? "" : inside;
}

function readClass(cursor: Cursor): string {
  const end = /^(?:\\.|[^\]\\])*/.exec(cursor.pattern.slice(cursor.at))?.[0] ?? "";
  cursor.at += end.length + 1;
  const matcher = new RegExp(`[${end}]`, "u");
  const all = Array.from({ length: 95 }, (_, i) => String.fromCodePoint(32 + i));
  // Letters and digits before signs, so that the sample is readable.
  return ["a", "1", "A", ...all].find((character) => matcher.test(character)) ?? "";
}

const escapes: { readonly [letter: string]: string } = {
  d: "1",
  w: "a",
  s: " ",
  D: "a",
  W: "-",
  S: "a",
  b: "",
  B: "",
  n: "\n",
  t: "\t",
};

function readEscape(cursor: Cursor): string {
  const letter = cursor.pattern.charAt(cursor.at);
  cursor.at += 1;
  if (letter !== "p") return escapes[letter] ?? letter;
  cursor.at = cursor.pattern.indexOf("}", cursor.at) + 1;
  return "a";
}

/** How often the atom is repeated: the least that is allowed, but once for `*` and `?`. */
function readCount(cursor: Cursor): number {
  const quantifier = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(cursor.pattern.slice(cursor.at));
  if (quantifier === null) return 1;
  cursor.at += quantifier[0].length;
  return quantifier[1] === undefined ? 1 : Math.min(1000, Number(quantifier[1]));
}
