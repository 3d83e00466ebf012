import type { Secret } from "./secret.ts";

/** Shorter values are left alone: they occur in ordinary text, and no real credential is that short. */
const shortestValue = 8;

/** Removes secrets from text; see {@link createScrubber}. */
export interface Scrubber {
  /** Gives the text with every known secret replaced by `[secret:name]`. */
  readonly scrub: (text: string) => string;
  /** Makes one more secret known. */
  add(secret: Secret): void;
}

/**
 * Makes a scrubber for log lines and error texts: it replaces each live secret of at least eight characters, as it is and
 * in base64, base64url, URL-encoded and JSON-escaped form, also where base64 holds it amid other bytes, as `Basic` credentials do.
 */
export function createScrubber(secrets: Iterable<Secret> = []): Scrubber {
  const names = new Map<string, string>();
  let pattern: RegExp | undefined;
  const add = (secret: Secret): void => {
    const value = secret.reveal();
    if (value.length < shortestValue) return;
    for (const form of formsOf(value)) names.set(form, secret.toString());
    // Longest first, so that a secret within another, or a cut form, does not leave the rest behind.
    const forms = [...names.keys()].toSorted((a, b) => b.length - a.length);
    pattern = new RegExp(forms.map((form) => form.replace(/[$()*+./?[\\\]^{|}-]/g, "\\$&")).join("|"), "g");
  };
  for (const secret of secrets) add(secret);
  return {
    add,
    scrub: (text) => (pattern === undefined ? text : text.replace(pattern, (form) => names.get(form) ?? "[secret]")),
  };
}

function lowerCaseHex(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase());
}

function formsOf(value: string): Set<string> {
  const encoded = encodeURIComponent(value);
  const form = new URLSearchParams({ v: value }).toString().slice(2);
  const base64 = [0, 1, 2].flatMap((offset) => base64At(value, offset));
  return new Set([
    value,
    encoded,
    lowerCaseHex(encoded),
    form,
    lowerCaseHex(form),
    JSON.stringify(value).slice(1, -1),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ]);
}

/**
 * The base64 of a value that begins `offset` bytes into a group of three: the characters that the value alone decides, and, for a
 * value that stands alone, the whole with and without padding.
 */
function base64At(value: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  const whole = bytes.toString("base64");
  const first = Math.ceil((offset * 8) / 6);
  const decided = whole.slice(first, Math.floor((bytes.length * 8) / 6));
  return offset === 0 ? [decided, whole, whole.replaceAll("=", "")] : [decided];
}
