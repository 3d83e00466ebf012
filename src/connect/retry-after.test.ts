import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRetryAfterMs } from "./retry-after.ts";

const now = Date.parse("2026-03-01T12:00:00Z");
const read = (headers: Record<string, string>): number | undefined => readRetryAfterMs(new Headers(headers), now);

describe("readRetryAfterMs", () => {
  it.each([
    ["seconds", { "retry-after": "30" }, 30_000],
    ["no wait", { "retry-after": "0" }, 0],
    ["parts of seconds", { "retry-after": "1.5" }, 1500],
    ["a day, uncapped", { "retry-after": "86400" }, 86_400_000],
    ["milliseconds, the finer header first", { "retry-after-ms": "250", "retry-after": "1" }, 250],
    ["an HTTP date", { "retry-after": "Sun, 01 Mar 2026 12:01:00 GMT" }, 60_000],
    ["HubSpot's interval", { "x-hubspot-ratelimit-interval-milliseconds": "10000" }, 10_000],
  ])("reads %s", (_form, headers, expected) => expect(read(headers)).toBe(expected));

  it.each([
    [{}],
    [{ "retry-after": "-1" }],
    [{ "retry-after": "soon" }],
    [{ "retry-after": "" }],
    [{ "retry-after": "Sun, 01 Mar 2026 11:59:00 GMT" }],
    [{ "retry-after": "1e9999" }],
  ])("says nothing for %j", (headers) => expect(read(headers)).toBeUndefined());

  it("gives undefined or a finite wait for any text", () => {
    const text = fc.stringMatching(/^[\x21-\x7e ]{0,40}$/);
    fc.assert(
      fc.property(text, (header) => {
        const waitMs = read({ "retry-after": header }) ?? 0;
        expect(Number.isFinite(waitMs) && waitMs >= 0).toBe(true);
      }),
    );
  });
});
