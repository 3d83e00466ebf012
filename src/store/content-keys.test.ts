import { randomBytes } from "node:crypto";
import { assert, jsonValue, oneof, property, string, type Arbitrary } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../core/index.ts";
import { createKeyring, sealedPrefix } from "./content-keys.ts";
import { openContent, sealContent, sealKept } from "./sealed.ts";

const kek = randomBytes(32);
const keyring = createKeyring(kek);
const place = "run_1/steps.output/0";
const unreadable = expect.objectContaining({ code: "CONTENT_UNREADABLE" });

/** A bit of a base64 text turned over. */
function flip(text: string, at: number): string {
  const bytes = Buffer.from(text, "base64");
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString("base64");
}

describe("a content key", () => {
  it("opens what it sealed, whatever JSON that is", () => {
    const key = keyring.newKey();
    const anyJson = oneof(jsonValue(), string({ unit: "binary" })) as Arbitrary<Json>;
    assert(
      property(anyJson, string(), (value, where) => {
        const sealed = key.seal(value, where);
        expect(sealed.startsWith(sealedPrefix)).toBe(true);
        expect(JSON.stringify(key.open(sealed, where))).toBe(JSON.stringify(value));
      }),
    );
    for (const value of ["\ud800 lone", "nul \u0000", "sluice:1:AAAA", null, { "": [] }]) {
      expect(key.open(key.seal(value, place), place)).toEqual(value);
    }
  });

  it("seals the same value differently each time, and shows nothing of it", () => {
    const key = keyring.newKey();
    const texts = [key.seal("jane@company.com", place), key.seal("jane@company.com", place)];
    expect(texts[0]).not.toBe(texts[1]);
    for (const text of texts)
      expect(Buffer.from(text.slice(sealedPrefix.length), "base64").includes("jane")).toBe(false);
  });

  it("opens nothing of which a single bit was changed", () => {
    const key = keyring.newKey();
    const content = key.seal("jane", place).slice(sealedPrefix.length);
    for (let at = 0; at < Buffer.from(content, "base64").length; at += 1) {
      expect(() => key.open(sealedPrefix + flip(content, at), place)).toThrow(unreadable);
    }
    for (const cut of ["", "AAAA", content.slice(0, 16), content.slice(0, -4)]) {
      expect(() => key.open(sealedPrefix + cut, place)).toThrow(unreadable);
    }
  });

  it("opens nothing in another place, and nothing that another key sealed", () => {
    const [key, other] = [keyring.newKey(), keyring.newKey()];
    const sealed = key.seal("jane", place);
    expect(() => key.open(sealed, "run_1/steps.output/1")).toThrow(unreadable);
    expect(() => other.open(sealed, place)).toThrow(unreadable);
  });

  it("says what cannot be opened, and nothing of what it held", () => {
    const sealed = keyring.newKey().seal("jane", place);
    expect(() => keyring.newKey().open(sealed, place)).toThrow(`the content of ${place} cannot be opened`);
  });
});

describe("a keyring", () => {
  it("opens the keys that it made, also in another process", () => {
    const key = keyring.newKey();
    const sealed = key.seal({ name: "jane" }, place);
    expect(createKeyring(kek).openKey(key.seed).open(sealed, place)).toEqual({ name: "jane" });
    expect(keyring.openKey(key.seed)).toBe(key);
  });

  it("opens no key of another keyring, and none that was changed", () => {
    const { seed } = keyring.newKey();
    expect(() => createKeyring(randomBytes(32)).openKey(seed)).toThrow(unreadable);
    for (let at = 0; at < Buffer.from(seed, "base64").length; at += 1) {
      expect(() => keyring.openKey(flip(seed, at))).toThrow(unreadable);
    }
    expect(() => keyring.openKey("")).toThrow(unreadable);
  });

  it("opens keys from before they were derived, which are stored encrypted", () => {
    const wrapped = "zJuYPai43jW6FatyNDEL4kdk1AtRsJI+xcccioBvTUwO8MnHzIHlFcwEhD+BAzNYZE22O000nXMzghV9";
    const sealed = "sluice:1:da2zC8mw2HOGfn7Oz9HBVlF3GfgFtPBjb73z6gz8NIpQVL0VGy/SQsMTUA==";
    const before = createKeyring(Buffer.alloc(32, 7));
    expect(before.openKey(wrapped).open(sealed, place)).toEqual({ name: "jane" });
    expect(() => before.openKey(flip(wrapped, 30))).toThrow(unreadable);
  });

  it("never gives the same key twice, over any number of them", () => {
    const sealed = Array.from({ length: 3000 }, () => keyring.newKey().seed);
    expect(new Set(sealed).size).toBe(3000);
    const [first, second] = [keyring.openKey(sealed[0]!), keyring.openKey(sealed[2999]!)];
    expect(() => second.open(first.seal("jane", place), place)).toThrow(unreadable);
  });

  it("has a fingerprint that is the same for the same key only", () => {
    expect(keyring.fingerprint).toMatch(/^[\da-f]{16}$/);
    expect(createKeyring(Buffer.from(kek)).fingerprint).toBe(keyring.fingerprint);
    expect(createKeyring(randomBytes(32)).fingerprint).not.toBe(keyring.fingerprint);
  });

  it("has blind indexes by which equal values of a kind are found, by nobody else", () => {
    const index = keyring.blindIndex("subject.email", "jane@company.com");
    expect(index).toMatch(/^[\w-]{43}$/);
    expect(createKeyring(kek).blindIndex("subject.email", "jane@company.com")).toBe(index);
    expect(keyring.blindIndex("subject.email", "john@company.com")).not.toBe(index);
    expect(keyring.blindIndex("subject.name", "jane@company.com")).not.toBe(index);
    expect(createKeyring(randomBytes(32)).blindIndex("subject.email", "jane@company.com")).not.toBe(index);
  });

  it("refuses a key of another length", () => {
    expect(() => createKeyring(randomBytes(16))).toThrow(expect.objectContaining({ code: "KEY_INVALID" }));
  });
});

describe("a column with content", () => {
  const key = keyring.newKey();

  it("gives back what was sealed for it, and what was stored before content was sealed", () => {
    expect(openContent(key, JSON.parse(sealContent(key, { n: 1 }, place)) as Json, place)).toEqual({ n: 1 });
    expect(openContent(key, { n: 1 }, place)).toEqual({ n: 1 });
    expect(openContent(null, "plain", place)).toBe("plain");
  });

  it("gives null when the key is gone", () => {
    expect(openContent(null, JSON.parse(sealContent(key, { n: 1 }, place)) as Json, place)).toBeNull();
  });

  it("keeps nothing without a key", () => {
    expect(sealKept(null, { n: 1 }, place)).toBeNull();
    expect(sealKept(key, null, place)).toBeNull();
    expect(sealKept(key, { n: 1 }, place)).toContain(sealedPrefix);
  });
});
