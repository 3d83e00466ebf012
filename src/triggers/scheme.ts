import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import { SluiceError, type Json } from "../core/index.ts";

/** What a signature can cover, as it was received. */
export interface SignedRequest {
  readonly method: string;
  /** The address that the sender called, with its query; null where the scheme does not sign it. */
  readonly url: string | null;
  /** The body byte for byte, after any content encoding was undone. */
  readonly body: Buffer;
  /** Whether the body is declared as `application/x-www-form-urlencoded`. */
  readonly isForm: boolean;
}

/** What a request says about itself: nothing of it is believed before a signature matches. */
export interface Claim {
  readonly id: string | undefined;
  /** As received; the signature covers this text, not the time that it stands for. */
  readonly timestamp: string | undefined;
  readonly signatures: readonly string[];
}

/** How a scheme writes points in time. */
export interface Clock {
  /** Milliseconds since 1970, or null when the text is not what the scheme writes. */
  toMs(text: string): number | null;
  fromMs(ms: number): string;
}

/** How a signature header is laid out. */
interface SignatureFormat {
  /** All signatures in the header that this scheme can check; none when it holds something else. */
  read(value: string): { readonly signatures: readonly string[]; readonly timestamp?: string | undefined };
  write(signature: string, timestamp: string): string;
}

/** Tells whether one of a claim's signatures was made with the secret that this was prepared from. */
export type Matcher = (claim: Claim, request: SignedRequest) => boolean;

/** What makes two deliveries the same. */
export interface DeliveryIdentity {
  /** The sender's own id of the delivery, when it has one. */
  readonly deliveryId: string | null;
  readonly dedupKey: string;
}

/** One row of the table of signature schemes. Header names are in lower case. */
export interface Scheme {
  readonly signatureHeader: string;
  readonly timestampHeader?: string;
  /** Headers with the delivery id, the best first. */
  readonly idHeaders: readonly string[];
  /** Whether the signature covers the delivery id, which is then required. */
  readonly signsId?: boolean;
  /** Whether the signature covers the address. */
  readonly signsUrl?: boolean;
  /** Absent where the scheme has no timestamp; a replay is then stopped by the dedup key alone. */
  readonly clock?: Clock;
  readonly format: SignatureFormat;
  /** Makes the check for one secret. @throws CONFIG_INVALID when the scheme cannot use the secret. */
  prepare(secret: string): Matcher;
  /** Signs as the sender does. @throws CONFIG_INVALID when the scheme cannot use the secret. */
  sign(secret: string, claim: Omit<Claim, "signatures">, request: SignedRequest): string;
  /** Finds the identity in a payload whose signature matched, where no header has it. */
  identify?(payload: Json): DeliveryIdentity | null;
}

type Part = string | Uint8Array;

/** What sets one HMAC scheme apart from another. */
interface HmacFacts extends Pick<
  Scheme,
  "signatureHeader" | "timestampHeader" | "signsId" | "signsUrl" | "clock" | "identify"
> {
  readonly idHeaders?: readonly string[];
  readonly format: SignatureFormat;
  /** Encodings of the digest that are accepted; samples are signed with the first. */
  readonly encodings: readonly ("hex" | "base64")[];
  /** The parts that are signed, in order. */
  readonly content: (claim: Omit<Claim, "signatures">, request: SignedRequest) => readonly Part[];
  /** Default: the secret's UTF-8 bytes. */
  readonly toKey?: (secret: string) => KeyObject;
}

/** Builds a scheme that signs with HMAC-SHA256. */
export function hmacScheme(facts: HmacFacts): Scheme {
  const toKey = facts.toKey ?? textKey;
  const digest: (key: KeyObject, ...signed: Parameters<HmacFacts["content"]>) => Buffer = (key, claim, request) =>
    hmac("sha256", key, facts.content(claim, request));
  return {
    ...facts,
    idHeaders: facts.idHeaders ?? [],
    prepare(secret) {
      const key = toKey(secret);
      return (claim, request) => {
        const expected = digest(key, claim, request);
        return facts.encodings.some((encoding) => hasEqual(claim.signatures, expected.toString(encoding)));
      };
    },
    sign: (secret, claim, request) => {
      const signature = digest(toKey(secret), claim, request).toString(facts.encodings[0]);
      return facts.format.write(signature, claim.timestamp ?? "");
    },
  };
}

/** HMAC over parts in order, without joining them first. */
export function hmac(algorithm: "sha1" | "sha256", key: KeyObject, parts: readonly Part[]): Buffer {
  const mac = createHmac(algorithm, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** The secret's UTF-8 bytes as a key. @throws CONFIG_INVALID when it is empty: an empty key lets anyone sign. */
export function textKey(secret: string): KeyObject {
  if (secret !== "") return createSecretKey(secret, "utf8");
  throw unusableSecret("is empty");
}

/** The error of a secret that a scheme cannot work with. */
export function unusableSecret(problem: string, cause?: unknown): SluiceError {
  return new SluiceError("CONFIG_INVALID", {
    message: `a webhook secret ${problem}`,
    hint: "Copy the secret again from the sender's settings page.",
    cause,
  });
}

/**
 * Whether one of the given texts equals the expected one, in constant time for each.
 * Texts are compared, not decoded bytes: many base64 texts decode to the same bytes, and only one is what was sent.
 */
export function hasEqual(given: readonly string[], expected: string): boolean {
  const expectedBytes = Buffer.from(expected, "latin1");
  return given.some(
    (text) => text.length === expected.length && timingSafeEqual(Buffer.from(text, "latin1"), expectedBytes),
  );
}

/** A header that holds one signature behind a fixed prefix, such as `sha256=`. */
export function prefixed(prefix: string): SignatureFormat {
  return {
    read: (value) => ({ signatures: value.startsWith(prefix) ? [value.slice(prefix.length)] : [] }),
    write: (signature) => prefix + signature,
  };
}

/** A header `t=TIMESTAMP,v1=SIGNATURE`, with `v1` repeated while a secret is being rotated. */
export const timestampPairs: SignatureFormat = {
  read(value) {
    const pairs = value.split(",");
    const valuesOf = (name: string) =>
      pairs.filter((pair) => pair.startsWith(name)).map((pair) => pair.slice(name.length));
    return { signatures: valuesOf("v1="), timestamp: valuesOf("t=")[0] };
  },
  write: (signature, timestamp) => `t=${timestamp},v1=${signature}`,
};

/** A space-separated list of `v1,SIGNATURE`; other versions in it are passed over. */
export const versionedList: SignatureFormat = {
  read(value) {
    const entries = value.split(" ").filter((entry) => entry.startsWith("v1,"));
    return { signatures: entries.map((entry) => entry.slice(3)) };
  },
  write: (signature) => `v1,${signature}`,
};

const digits = (unitMs: number): Clock => ({
  toMs: (text) => (/^\d{1,15}$/.test(text) ? Number(text) * unitMs : null),
  fromMs: (ms) => String(Math.floor(ms / unitMs)),
});

/** Whole seconds since 1970. */
export const secondsClock = digits(1000);

/** Whole milliseconds since 1970. */
export const millisecondsClock = digits(1);

/** ISO 8601 in UTC, such as `2026-03-25T05:09:27Z`. */
export const isoClock: Clock = {
  toMs(text) {
    const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text) ? Date.parse(text) : NaN;
    return Number.isNaN(ms) ? null : ms;
  },
  fromMs: (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`,
};
