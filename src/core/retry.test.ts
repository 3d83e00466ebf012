import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SluiceError } from "./errors.ts";
import { defaultRetry, neverRetry, nextDelayMs } from "./retry.ts";

const passing = new SluiceError("EGRESS_FAILED", { message: "lost" });
const lasting = new SluiceError("PAYLOAD_INVALID", { message: "wrong" });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const policy = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 20 }),
  firstDelayMs: fc.nat(10_000),
  maxDelayMs: fc.nat(600_000),
});

describe("the wait before the next try", () => {
  it("doubles, and lies in the upper half of what it doubled to", () => {
    const delays = [1, 2, 3, 4, 5].map((attempt) =>
      [0, 0.999].map((value) => nextDelayMs(defaultRetry, attempt, passing, value)),
    );
    expect(delays).toEqual([
      [250, 500],
      [500, 1000],
      [1000, 1999],
      [2000, 3998],
      [4000, 7996],
    ]);
  });

  it("is none after the last try, after an error that stays, and where nothing is tried again", () => {
    expect(nextDelayMs(defaultRetry, 6, passing, 0)).toBeNull();
    expect(nextDelayMs(defaultRetry, 1, lasting, 0)).toBeNull();
    expect(nextDelayMs(neverRetry, 1, passing, 0)).toBeNull();
  });

  it("is never longer than the policy's longest, unless the other side asked", () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 100 }), random, (given, attempt, value) => {
        const delay = nextDelayMs(given, attempt, passing, value);
        expect(delay === null).toBe(attempt >= given.maxAttempts);
        expect(delay ?? 0).toSatisfy((ms: number) => ms >= 0 && ms <= given.maxDelayMs);
      }),
    );
  });

  it("is never shorter than the other side asked for, of any length", () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: -1000, max: 2 ** 40 }), random, (given, retryAfterMs, value) => {
        const error = new SluiceError("MODEL_RATE_LIMITED", { message: "later", retryAfterMs });
        const delay = nextDelayMs({ ...given, maxAttempts: 2 }, 1, error, value);
        expect(delay).toBeGreaterThanOrEqual(Math.max(0, retryAfterMs));
      }),
    );
  });
});
