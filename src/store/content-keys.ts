import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomFillSync,
  timingSafeEqual,
} from "node:crypto";
import { type Json, SluiceError } from "../core/index.ts";
import { BoundedCache } from "./bounded-cache.ts";

/** Bytes of every key here. */
export const keyBytes = 32;

/** A key that content is sealed with: one for each event and all that its run records. */
export interface ContentKey {
  /**
   * What is stored of the key: with the key of the installation it gives the key again, and says nothing of it without.
   * Whoever removes this text has erased what the key sealed.
   */
  readonly seed: string;
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
  /** Tells one key of an installation from another and nothing about it: 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** A new key, from random bits. */
  newKey(): ContentKey;
  /** The key of a {@link ContentKey.seed}. @throws CONTENT_UNREADABLE when it was changed, or belongs to the key of another installation. */
  openKey(seed: string): ContentKey;
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

/** Random bits of a key, and those that show that they were not changed. */
const saltBytes = 16;
const proofBytes = 16;

/**
 * What content keys are hashed from, up to the random bits: the one-step derivation of NIST SP 800-56C, with SHA-512. The first
 * half of what it gives is the key; of the other, the beginning is kept with the random bits, as their proof.
 *
 * Measured: 1.6 µs; encrypting a key by AES-GCM takes 5.3, and is a third longer in the database.
 */
const derivation = (secret: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 1]), secret, Buffer.from("sluice content key")]);

/** What a key is bound to that was made before keys were derived: it is stored encrypted. */
const wrappingPlace = "content-key";

/**
 * Makes a keyring.
 *
 * @param kek the key of the installation: 32 bytes.
 * @throws KEY_INVALID for another length.
 */
export function createKeyring(kek: Buffer): Keyring {
  if (kek.length !== keyBytes) {
    throw new SluiceError("KEY_INVALID", {
      message: `the key of the installation has ${kek.length} bytes, expected ${keyBytes}`,
      hint: "Make one with: openssl rand -base64 32",
    });
  }
  const wrapping = createSecretKey(kek);
  const indexing = createSecretKey(derive(kek, "blind-index", keyBytes));
  const opened = new BoundedCache<string, ContentKey>(mostOpened);

  const hashed = derivation(derive(kek, "content-keys", keyBytes));

  function remember(seed: string, key: string): ContentKey {
    const contentKey = new AesKey(seed, key);
    opened.set(seed, contentKey);
    return contentKey;
  }
  /**
   * Key and proof of random bits, as text of one byte a character. A buffer of this size is a piece of memory of its own: some
   * thousand of them, kept, and the system gets nothing back of what lies between (measured: 200 MB after 10,000 runs).
   */
  const grow = (salt: Buffer): string => hash("sha512", Buffer.concat([hashed, salt]), "binary");

  function derived(bytes: Buffer): string {
    const grown = grow(bytes.subarray(0, saltBytes));
    if (timingSafeEqual(bytes.subarray(saltBytes), proofOf(grown))) return keyOf(grown);
    throw unreadable("a content key");
  }
  return {
    fingerprint: derive(kek, "fingerprint", 8).toString("hex"),
    newKey() {
      const salt = randomBytes(saltBytes);
      const grown = grow(salt);
      return remember(Buffer.concat([salt, proofOf(grown)]).toString("base64"), keyOf(grown));
    },
    openKey(seed) {
      const known = opened.get(seed);
      if (known) return known;
      const bytes = Buffer.from(seed, "base64");
      const isDerived = bytes.length === saltBytes + proofBytes;
      const unwrap = (): string =>
        decrypt(wrapping, bytes, { place: wrappingPlace, what: "a content key" }).toString("latin1");
      return remember(seed, isDerived ? derived(bytes) : unwrap());
    },
    blindIndex: (kind, value) => createHmac("sha256", indexing).update(`${kind}\0${value}`).digest("base64url"),
  };
}

const keyOf = (grown: string): string => grown.slice(0, keyBytes);
const proofOf = (grown: string): Buffer => Buffer.from(grown.slice(keyBytes, keyBytes + proofBytes), "latin1");

class AesKey implements ContentKey {
  readonly seed: string;
  /** One byte a character. */
  readonly #key: string;

  constructor(seed: string, key: string) {
    this.seed = seed;
    this.#key = key;
  }

  seal(value: Json, place: string): string {
    return sealedPrefix + encrypt(this.#toKeyObject(), Buffer.from(JSON.stringify(value)), place).toString("base64");
  }

  open(sealed: string, place: string): Json {
    const content = Buffer.from(sealed.slice(sealedPrefix.length), "base64");
    const text = decrypt(this.#toKeyObject(), content, { place, what: `the content of ${place}` });
    return JSON.parse(text.toString("utf8")) as Json;
  }

  /** Measured: given bytes, Node takes 12 µs to make a key of them; made here 0.7, and 3 to keep, for the collector's sake. */
  #toKeyObject(): KeyObject {
    return createSecretKey(this.#key, "latin1");
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

function decrypt(key: KeyObject, bytes: Buffer, { place, what }: { place: string; what: string }): Buffer {
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    const content = decipher.update(bytes.subarray(ivBytes + tagBytes));
    decipher.final();
    return content;
  } catch (thrown) {
    throw unreadable(what, thrown);
  }
}

function unreadable(what: string, cause?: unknown): SluiceError {
  return new SluiceError("CONTENT_UNREADABLE", {
    message: `${what} cannot be opened: it was changed, stands in another place, or was sealed with another key`,
    hint: "Look who changed the database, or restore a backup of it; nothing else can bring the content back.",
    cause,
  });
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
