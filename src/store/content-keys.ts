import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import { type Json, SluiceError } from "../core/index.ts";
import { BoundedCache } from "./bounded-cache.ts";

/** Bytes of every key here. */
export const keyBytes = 32;

/** A key that content is sealed with: one for each event and all that its run records. */
export interface ContentKey {
  /** The key as it is stored: encrypted with the key-encryption key. Whoever removes this text has erased what the key sealed. */
  readonly wrapped: string;
  /**
   * Seals a value, as a text that begins with {@link sealedPrefix}.
   *
   * @param place where it is stored, such as `run_x/steps.output/3`. It opens at this place only, so that nobody can move it.
   */
  seal(value: Json, place: string): string;
  /** The value that was sealed for a place. @throws CONTENT_UNREADABLE when it was changed, moved, or sealed with another key. */
  open(sealed: string, place: string): Json;
}

/** All that is made from the one key of an installation. */
export interface Keyring {
  /** Tells one key-encryption key from another and nothing about it: 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** A new random key. */
  newKey(): ContentKey;
  /** The key that a {@link ContentKey.wrapped} text stands for. @throws CONTENT_UNREADABLE when another key-encryption key wrapped it. */
  openKey(wrapped: string): ContentKey;
  /**
   * A keyed digest of a text, by which equal texts are found, and from which the text cannot be told or tried without the
   * key: 43 characters. Another `kind` gives another digest.
   */
  blindIndex(kind: string, value: string): string;
}

/** How every sealed value begins: format 1. */
export const sealedPrefix = "sluice:1:";

/** AES-256-GCM with a random IV for each message. @see https://csrc.nist.gov/pubs/sp/800/38/d/final 5.2.1.1, 8.2.2 */
const algorithm = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;

/** How many opened keys are at hand: those of the runs under way, and of runs that people look at. */
const mostOpened = 2048;

/** What a wrapped key is bound to. */
const wrappingPlace = "content-key";

/**
 * Makes a keyring.
 *
 * @param kek the key-encryption key: 32 bytes.
 * @throws KEY_INVALID for another length.
 */
export function createKeyring(kek: Buffer): Keyring {
  if (kek.length !== keyBytes) {
    throw new SluiceError("KEY_INVALID", {
      message: `the key-encryption key has ${kek.length} bytes, expected ${keyBytes}`,
      hint: "Make one with: openssl rand -base64 32",
    });
  }
  const wrapping = createSecretKey(kek);
  const indexing = createSecretKey(derive(kek, "blind-index", keyBytes));
  const opened = new BoundedCache<string, ContentKey>(mostOpened);

  function remember(wrapped: string, key: Buffer): ContentKey {
    const contentKey = new AesKey(wrapped, key);
    opened.set(wrapped, contentKey);
    return contentKey;
  }
  return {
    fingerprint: derive(kek, "fingerprint", 8).toString("hex"),
    newKey() {
      const key = randomBytes(keyBytes);
      return remember(encrypt(wrapping, key, wrappingPlace).toString("base64"), key);
    },
    openKey: (wrapped) =>
      opened.get(wrapped) ??
      remember(wrapped, decrypt(wrapping, wrapped, { place: wrappingPlace, what: "a content key" })),
    blindIndex: (kind, value) => createHmac("sha256", indexing).update(`${kind}\0${value}`).digest("base64url"),
  };
}

class AesKey implements ContentKey {
  readonly wrapped: string;
  readonly #key: Buffer;

  constructor(wrapped: string, key: Buffer) {
    this.wrapped = wrapped;
    this.#key = key;
  }

  seal(value: Json, place: string): string {
    return sealedPrefix + encrypt(this.#toKeyObject(), Buffer.from(JSON.stringify(value)), place).toString("base64");
  }

  open(sealed: string, place: string): Json {
    const content = sealed.slice(sealedPrefix.length);
    const text = decrypt(this.#toKeyObject(), content, { place, what: `the content of ${place}` });
    return JSON.parse(text.toString("utf8")) as Json;
  }

  /** Measured: given bytes, Node takes 12 µs to make a key of them; made here 0.7, and 3 to keep, for the collector's sake. */
  #toKeyObject(): KeyObject {
    return createSecretKey(this.#key);
  }
}

function derive(kek: Buffer, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", kek, "", `sluice ${purpose}`, bytes));
}

/** Gives IV, tag and ciphertext, one after the other. */
function encrypt(key: KeyObject, content: Buffer, place: string): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, key, iv);
  cipher.setAAD(Buffer.from(place));
  const text = cipher.update(content);
  cipher.final();
  return Buffer.concat([iv, cipher.getAuthTag(), text]);
}

function decrypt(key: KeyObject, base64: string, { place, what }: { place: string; what: string }): Buffer {
  const bytes = Buffer.from(base64, "base64");
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    const content = decipher.update(bytes.subarray(ivBytes + tagBytes));
    decipher.final();
    return content;
  } catch (thrown) {
    throw new SluiceError("CONTENT_UNREADABLE", {
      message: `${what} cannot be opened: it was changed, stands in another place, or was sealed with another key`,
      hint: "Look who changed the database, or restore a backup of it; nothing else can bring the content back.",
      cause: thrown,
    });
  }
}

/** Node asks the system for each call of its own `randomBytes`; here it is asked once for some hundred small ones. */
const pool = Buffer.alloc(8192);
let poolUsed = pool.length;

function randomBytes(count: number): Buffer {
  if (poolUsed + count > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  poolUsed += count;
  // A copy: the pool is filled anew.
  return Buffer.from(pool.subarray(poolUsed - count, poolUsed));
}
