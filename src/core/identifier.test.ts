import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIdentifier } from "./identifier.ts";

/** Up to the year 10889, the last that 48 bits of milliseconds hold. */
const times = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe("an identifier", () => {
  it("names its kind, the time, and 80 random bits", () => {
    const id = createIdentifier("run", new Date("2026-01-01T00:00:00Z"));
    expect(id).toMatch(/^run_01kdvdna00[0-9a-hjkmnp-tv-z]{16}$/);
  });

  it("sorts after one of an earlier time", () => {
    fc.assert(
      fc.property(times, times, (one, other) => {
        fc.pre(one !== other);
        const [early, late] = [one, other].toSorted((a, b) => a - b).map((ms) => createIdentifier("evt", new Date(ms)));
        expect(String(early) < String(late)).toBe(true);
      }),
    );
  });

  it("is another one each time, also within a millisecond", () => {
    const now = new Date();
    expect(new Set(Array.from({ length: 1000 }, () => createIdentifier("call", now))).size).toBe(1000);
  });
});
