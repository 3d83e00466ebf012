import type { Json } from "../src/core/index.ts";
import { createKeyring, openContent } from "../src/store/index.ts";

const key = Buffer.alloc(32, "experiments");

/** The key-encryption key of all services, so that an experiment can read what they sealed. */
export const sealingKey: string = key.toString("base64");

const keyring = createKeyring(key);

/**
 * What a column holds, past everything that the application has in front of it.
 *
 * @param seed content key of the run, as its event has it; null: the content is not sealed, or erased.
 */
export function readSealed(seed: string | null, stored: unknown, place: string): Json {
  return openContent(seed === null ? null : keyring.openKey(seed), stored as Json, place);
}
