import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf, isRecord, toCanonicalJson, toJson } from "./json.ts";

/** The same value with every object's keys in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

describe("toCanonicalJson", () => {
  it("sorts keys at every depth by code unit, and writes no white space", () => {
    expect(toCanonicalJson({ b: [{ d: 1, c: null }], "": 2, B: "ü", "10": 3, "9": 4 })).toBe(
      '{"":2,"10":3,"9":4,"B":"ü","b":[{"c":null,"d":1}]}',
    );
  });

  it("leaves out what is undefined, and writes nothing at all as null", () => {
    expect(toCanonicalJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
    expect(toCanonicalJson(undefined)).toBe("null");
  });

  it("keeps a key named __proto__ as data", () => {
    const value: unknown = JSON.parse('{"__proto__": {"admin": true}, "a": 1}');
    expect(toCanonicalJson(value)).toBe('{"__proto__":{"admin":true},"a":1}');
  });

  it("is the same for equal values, whatever the order of their keys", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(toCanonicalJson(reversed(value))).toBe(toCanonicalJson(value));
      }),
    );
  });

  it("loses nothing", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const stored: unknown = JSON.parse(JSON.stringify(value));
        expect(JSON.parse(toCanonicalJson(value))).toEqual(stored);
      }),
    );
  });
});

describe("digestOf", () => {
  it("is the SHA-256 of the canonical form", () => {
    expect(digestOf({})).toBe("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    expect(digestOf({ a: 1, b: 2 })).toBe(digestOf({ b: 2, a: 1 }));
    expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: "1" }));
  });
});

describe("isRecord", () => {
  it.each([{}, { a: 1 }, Object.create(null)])("takes an object with named fields: %j", (value) => {
    expect(isRecord(value)).toBe(true);
  });

  it.each([null, undefined, "text", 1, [], new Date(0), new Map(), /x/, () => {}])(
    "takes nothing else: %s",
    (value) => {
      expect(isRecord(value)).toBe(false);
    },
  );
});

describe("toJson", () => {
  it("gives what is left after writing and reading", () => {
    const when = new Date("2026-01-02T03:04:05Z");
    expect(toJson({ when, gone: undefined, not: NaN })).toEqual({ when: "2026-01-02T03:04:05.000Z", not: null });
    expect(toJson(undefined)).toBeNull();
  });

  it("throws for what JSON cannot hold", () => {
    expect(() => toJson(1n)).toThrow(TypeError);
  });
});
