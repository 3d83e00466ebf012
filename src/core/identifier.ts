import { randomFillSync } from "node:crypto";

/** Crockford's base 32, in lower case. @see https://www.crockford.com/base32.html */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** What an identifier names; its first characters. */
export type IdentifierKind = "run" | "evt" | "call" | "usr" | "ses" | "key" | "exe";

/**
 * Makes an identifier such as `run_01k9x3m5c8q2v7r4t6w0y1z3ab`: the kind, 48 bits of time and 80 random bits. Later
 * ones sort after earlier ones.
 *
 * @see https://github.com/ulid/spec
 */
export function createIdentifier(kind: IdentifierKind, now: Date): string {
  let time = "";
  for (let ms = now.getTime(), at = 0; at < 10; at += 1, ms = Math.floor(ms / 32))
    time = alphabet.charAt(ms % 32) + time;
  return `${kind}_${time}${randomText(16)}`;
}

/** Asking for random bytes takes longer than all the rest (4 µs of 5), so they are asked for many at a time. */
const stock = Buffer.alloc(4096);
let used = stock.length;

function randomText(length: number): string {
  if (used + length > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  let text = "";
  for (const end = used + length; used < end; used += 1) text += alphabet.charAt(stock.readUInt8(used) % 32);
  return text;
}
