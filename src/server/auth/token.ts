import { createHash, randomBytes } from "node:crypto";

/** Makes a token nobody can guess: 32 random bytes as 43 characters of base64url, after a prefix. */
export function createToken(prefix = ""): string {
  return prefix + randomBytes(32).toString("base64url");
}

/**
 * What is stored of a token: SHA-256, in hexadecimal. A token of 256 random bits cannot be found from it, so it needs no
 * salt and no slow hash; and a look-up by digest tells nothing by how long it takes.
 */
export function digestOfToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
