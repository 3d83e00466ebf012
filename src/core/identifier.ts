import { randomBytes } from "node:crypto";

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
  const random = Array.from(randomBytes(16), (byte) => alphabet.charAt(byte % 32)).join("");
  return `${kind}_${time}${random}`;
}
