import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readLimitHeaders } from "./limit-headers.ts";

const nowMs = Date.UTC(2026, 10, 24, 12);
const read = (headers: Record<string, string>) => readLimitHeaders(headers, nowMs);

describe("the limits that an answer tells", () => {
  test("are read as OpenAI, Groq and compatible servers write them", () => {
    const headers = {
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-limit-tokens": "150000",
      "x-ratelimit-remaining-requests": "59",
      "x-ratelimit-remaining-tokens": "149984",
      "x-ratelimit-reset-requests": "1s",
      "x-ratelimit-reset-tokens": "6m0s",
    };
    expect(read(headers)).toEqual([
      { kind: "requests", limit: 60, remaining: 59, resetMs: 1000 },
      { kind: "tokens", limit: 150_000, remaining: 149_984, resetMs: 360_000 },
    ]);
  });

  test("are read as Anthropic writes them, input and output apart", () => {
    const reset = new Date(nowMs + 30_000).toISOString();
    const of = (name: string, limit: string, remaining: string) => ({
      [`anthropic-ratelimit-${name}-limit`]: limit,
      [`anthropic-ratelimit-${name}-remaining`]: remaining,
      [`anthropic-ratelimit-${name}-reset`]: reset,
    });
    expect(
      read({
        ...of("requests", "50", "49"),
        ...of("input-tokens", "40000", "0"),
        ...of("output-tokens", "8000", "8000"),
      }),
    ).toEqual([
      { kind: "requests", limit: 50, remaining: 49, resetMs: 30_000 },
      { kind: "input_tokens", limit: 40_000, remaining: 0, resetMs: 30_000 },
      { kind: "output_tokens", limit: 8000, remaining: 8000, resetMs: 30_000 },
    ]);
  });

  test("are read as Mistral writes them", () => {
    const headers = {
      "x-ratelimit-limit-tokens-minute": "5000000",
      "x-ratelimit-remaining-tokens-minute": "4999911",
      "x-ratelimit-limit-req-minute": "720",
      "x-ratelimit-remaining-req-minute": "717",
    };
    expect(read(headers)).toEqual([
      { kind: "requests", limit: 720, remaining: 717, resetMs: null },
      { kind: "tokens", limit: 5_000_000, remaining: 4_999_911, resetMs: null },
    ]);
  });

  test("are read as Cohere and OpenRouter write them", () => {
    const headers = { "x-ratelimit-limit": "20", "x-ratelimit-remaining": "3" };
    const reset = (value: string) => read({ ...headers, "x-ratelimit-reset": value })[0];
    expect(reset("7")).toEqual({ kind: "requests", limit: 20, remaining: 3, resetMs: 7000 });
    expect(reset(String(nowMs + 5000))?.resetMs).toBe(5000);
  });

  test("are what is left alone, where Azure tells no more", () => {
    expect(read({ "x-ratelimit-remaining-requests": "79" })).toEqual([
      { kind: "requests", limit: null, remaining: 79, resetMs: null },
    ]);
  });

  test.each([
    ["-1", "-1", "0"],
    ["0", "0", "0"],
    ["lots", "1", "1s"],
    ["9".repeat(40), "1", "1s"],
  ])("are unknown when the limit is %s", (limit, remaining, reset) => {
    const headers = {
      "x-ratelimit-limit-tokens": limit,
      "x-ratelimit-remaining-tokens": remaining,
      "x-ratelimit-reset-tokens": reset,
    };
    expect(read(headers)).toEqual([]);
  });

  test("are whole numbers of at least 0 whatever the headers say", () => {
    const name = fc.constantFrom(
      "x-ratelimit-limit-requests",
      "x-ratelimit-remaining-requests",
      "x-ratelimit-reset-requests",
      "x-ratelimit-limit",
      "x-ratelimit-remaining",
      "x-ratelimit-reset",
      "anthropic-ratelimit-tokens-limit",
      "anthropic-ratelimit-tokens-reset",
    );
    const value = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value), (headers) => {
        for (const { limit, remaining, resetMs } of read(headers)) {
          expect(limit === null ? remaining : limit).toBeGreaterThanOrEqual(limit === null ? 0 : 1);
          for (const count of [limit, remaining, resetMs])
            expect(count === null || (Number.isSafeInteger(count) && count >= 0)).toBe(true);
        }
      }),
    );
  });
});
