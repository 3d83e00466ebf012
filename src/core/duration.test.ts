import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Duration, formatMs, toMs } from "./duration.ts";
import type { SluiceError } from "./errors.ts";

/** Milliseconds, or the code of the refusal. */
function outcomeOf(duration: string): unknown {
  try {
    return toMs(duration as Duration);
  } catch (error) {
    return (error as SluiceError).code;
  }
}

describe("toMs", () => {
  it.each<[Duration, number]>([
    [0, 0],
    [1500, 1500],
    [0.6, 1],
    ["0s", 0],
    ["250ms", 250],
    ["1.5s", 1500],
    ["5m", 300_000],
    ["12h", 43_200_000],
    ["7d", 604_800_000],
  ])("reads %j as %d milliseconds", (duration, ms) => {
    expect(toMs(duration)).toBe(ms);
  });

  it.each([-1, NaN, Infinity, "", "5", "m", "-5s", "5 s", "5S", "1e3s", "5s ", "5w", "0x5s", ".5s", "1_000ms"])(
    "refuses %j",
    (duration) => {
      expect(outcomeOf(duration as string)).toBe("CONFIG_INVALID");
    },
  );

  it("gives whole milliseconds, never negative, for any number with any unit", () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(fc.nat(), fc.nat(999), fc.constantFrom("ms", "s", "m", "h", "d"), (whole, part, unit) => {
        const ms = toMs(`${whole}.${part}${unit}` as Duration);
        expect(Number.isInteger(ms)).toBe(true);
        expect(Math.abs(ms - Number(`${whole}.${part}`) * units[unit])).toBeLessThanOrEqual(0.5);
      }),
    );
  });

  it("takes or refuses any text, and throws nothing else", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(outcomeOf(text)).toSatisfy((ms: unknown) => ms === "CONFIG_INVALID" || (ms as number) >= 0);
      }),
    );
  });
});

describe("formatMs", () => {
  it.each([
    [0, "0 ms"],
    [340.4, "340 ms"],
    [999.7, "1.0 s"],
    [2_400, "2.4 s"],
    [59_949, "59.9 s"],
    [59_960, "1 min 0 s"],
    [185_000, "3 min 5 s"],
    [119_800, "2 min 0 s"],
    [3_599_700, "1 h 0 min"],
    [7_800_000, "2 h 10 min"],
    [7_199_000, "2 h 0 min"],
  ])("writes %d as %s", (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });

  it("never writes a part that is full: no 60 s, no 60 min", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (ms) => !/\b60 (s|min)|1000 ms|60\.0/.test(formatMs(ms)),
      ),
    );
  });
});
