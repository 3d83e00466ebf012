import { describe, expect, it } from "vitest";
import { fingerprintOf } from "./fingerprint.ts";

const error = (message: string, code: "STEP_FAILED" | "EGRESS_FAILED" = "STEP_FAILED") => ({ code, message });
const print = (message: string) => fingerprintOf("leads", "notify", error(message));

describe("the fingerprint of a failure", () => {
  it("is 16 hexadecimal digits", () => {
    expect(print("no")).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([
    ["numbers", "item 7 of 20 failed after 1.5 s", "item 12 of 40 failed after 30.25 s"],
    ["ids", "run_01k9x3m5c8q2v7r4t6w0y1z3ab is gone", "run_01m86r0ra7st7bjymtsxq3qc1j is gone"],
    ["digests", "no object deadbeef01", "no object 0123456789abcdef"],
    ["quoted names", 'channel "#leads" is not there', 'channel "#sales" is not there'],
    ["times", "was due at 2026-03-09T14:05:33Z", "was due at 2025-11-30T01:59:00Z"],
  ])("is the same whatever the %s", (_what, one, other) => {
    expect(print(one)).toBe(print(other));
  });

  it("is another one for another flow, step, code or message", () => {
    const prints = [
      print("no"),
      print("yes"),
      fingerprintOf("tickets", "notify", error("no")),
      fingerprintOf("leads", "store", error("no")),
      fingerprintOf("leads", null, error("no")),
      fingerprintOf("leads", "notify", error("no", "EGRESS_FAILED")),
    ];
    expect(new Set(prints).size).toBe(prints.length);
  });
});
