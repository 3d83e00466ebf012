import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseGoDuration, readRetryAfterMs } from "./retry-after.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const read = (headers: Record<string, string>, body = "") => readRetryAfterMs(headers, body, nowMs);

test.each([
  ["6m0s", 360_000],
  ["20ms", 20],
  ["1h2m3.5s", 3_723_500],
  ["0.4ms", 1],
  ["0s", undefined],
  ["5", undefined],
  ["5 s", undefined],
  ["-5s", undefined],
  ["", undefined],
])("the duration %j is %s ms", (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms);
});

test("any duration that Go writes is read to the millisecond", () => {
  const duration = fc
    .tuple(fc.nat(99), fc.nat(59), fc.nat(59), fc.nat(999))
    .filter((parts) => parts.some((value) => value > 0));
  fc.assert(
    fc.property(duration, ([h, m, s, ms]) => {
      expect(parseGoDuration(`${h}h${m}m${s}s${ms}ms`)).toBe(h * 3_600_000 + m * 60_000 + s * 1000 + ms);
    }),
  );
});

test.each([
  ["reset as a Unix time in seconds", { "x-ratelimit-reset": String(nowMs / 1000 + 30) }, 30_000],
  ["reset as a Unix time in milliseconds", { "x-ratelimit-reset": String(nowMs + 500) }, 500],
  ["reset in the past", { "x-ratelimit-reset": String(nowMs / 1000 - 30) }, undefined],
  ["retry-after before any reset", { "retry-after": "1", "x-ratelimit-reset-tokens": "9s" }, 1000],
  [
    "the latest of several used-up limits",
    { "x-ratelimit-reset-requests": "2s", "x-ratelimit-reset-tokens": "9s" },
    9000,
  ],
  [
    "the token limit where nothing is used up",
    {
      "x-ratelimit-remaining-requests": "5",
      "x-ratelimit-reset-requests": "10h",
      "x-ratelimit-remaining-tokens": "10",
      "x-ratelimit-reset-tokens": "4s",
    },
    4000,
  ],
  [
    "Anthropic's dates",
    { "anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2026-03-01T12:00:07Z" },
    7000,
  ],
])("reads %s", (_, headers, ms) => {
  expect(read(headers as Record<string, string>)).toBe(ms);
});

test("reads Gemini's delay from the body", () => {
  expect(read({}, '{"error":{"details":[{"retryDelay":"34s"}]}}')).toBe(34_000);
  expect(read({}, '{"error":{"details":[{"retryDelay":"later"}]}}')).toBeUndefined();
});

test("whatever the headers hold, the wait is undefined or a positive whole number", () => {
  const names = [
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-reset",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-x-reset",
  ];
  const value = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), fc.string(), (headers, body) => {
      const ms = readRetryAfterMs(headers, body, nowMs);
      expect(ms === undefined || (Number.isSafeInteger(ms) && ms > 0)).toBe(true);
    }),
  );
});
