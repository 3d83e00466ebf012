import { SluiceError, type Json } from "../core/index.ts";

/** Deepest nesting of arrays and objects that is read. Whatever walks a payload later may use recursion safely. */
const maxDepth = 100;

/** Most fields of a form that are read; parsing half a million of them would hold up everybody else. */
const maxFormFields = 1000;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a JSON body: UTF-8, with or without a byte order mark.
 *
 * @throws BODY_NOT_JSON when it is not JSON in UTF-8, is nested deeper than 100, has a key `__proto__` or a number
 *   beyond the range of doubles.
 */
export function parseJson(body: Buffer): Json {
  const text = decodeUtf8(body);
  if (isDeeperThan(text, maxDepth)) throw unreadable(`is nested deeper than ${maxDepth} levels`);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    // The parser's message quotes the text, so it is not kept.
    throw unreadable("is not valid JSON");
  }
  const problem = findUnsafe(value);
  if (problem !== null) throw unreadable(problem);
  return value;
}

/**
 * Reads a form body. A field that occurs once is a text; one that is repeated is a list, in order.
 *
 * @throws BODY_NOT_JSON when it is not UTF-8, has more than 1,000 fields, or a field `__proto__`.
 */
export function parseForm(body: Buffer): { [field: string]: string | string[] } {
  const text = decodeUtf8(body);
  if (text.split("&", maxFormFields + 1).length > maxFormFields)
    throw unreadable(`has more than ${maxFormFields} fields`);
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields.get(name);
    if (before === undefined) fields.set(name, value);
    else if (typeof before === "string") fields.set(name, [before, value]);
    else before.push(value);
  }
  if (fields.has("__proto__")) throw unreadable("has a field __proto__");
  return Object.fromEntries(fields);
}

function decodeUtf8(body: Buffer): string {
  try {
    return decoder.decode(body);
  } catch {
    throw unreadable("is not valid UTF-8");
  }
}

/** Looks at brackets outside strings only, so that a bomb is refused before anything is built from it. */
function isDeeperThan(text: string, limit: number): boolean {
  // Nearly no payload has that many brackets at all, and looking for a character is far faster than looking at each.
  if (countUpTo(text, "{", limit) + countUpTo(text, "[", limit) <= limit) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** How often a character occurs; stops counting above the limit. */
function countUpTo(text: string, character: string, limit: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1 && count <= limit; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

/** Finds what is JSON, but would hurt later: a key that code may take for the prototype, a number that became Infinity. */
function findUnsafe(value: Json): string | null {
  if (typeof value === "number") return Number.isFinite(value) ? null : "has a number that is too large to keep";
  if (typeof value !== "object" || value === null) return null;
  if (Object.hasOwn(value, "__proto__")) return "has a key __proto__";
  // An array is walked as it is: a copy of each one would double the time that a large body takes.
  for (const item of Array.isArray(value) ? (value as readonly Json[]) : Object.values(value)) {
    const problem = findUnsafe(item);
    if (problem !== null) return problem;
  }
  return null;
}

function unreadable(problem: string): SluiceError {
  return new SluiceError("BODY_NOT_JSON", {
    message: `the body ${problem}`,
    hint: "Send one JSON document in UTF-8 with content-type: application/json.",
  });
}
