import { hash, verify } from "@node-rs/argon2";
import { createToken } from "./token.ts";

/** Hashes and checks passwords. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Whether a password is the one of a hash. Without a hash: false, after as much work. */
  verify(stored: string | null, password: string): Promise<boolean>;
}

/**
 * Passwords with Argon2id. The library's defaults are what OWASP asks for: 19 MiB, two passes, one lane.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
export async function createPasswords(): Promise<Passwords> {
  // Checked in place of the hash of somebody who does not exist, so that time does not tell who does.
  const decoy = await hash(createToken());
  return {
    hash: (password) => hash(password),
    verify: async (stored, password) => {
      const fits = await verify(stored ?? decoy, password);
      return stored !== null && fits;
    },
  };
}
