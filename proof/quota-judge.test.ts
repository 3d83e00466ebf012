import { describe, expect, it } from "vitest";
import type { CaseEvidence } from "./model-lab.ts";
import { findInsisting, findNotSucceeded, findNotWaiting, mostInAMinute, timesAfterRefusal } from "./quota-judge.ts";

const bucket = "openai/sandbox-a";

/** A run whose one request, which left at a time and was answered 100 ms later, was refused. */
function refusedAt(leftMs: number, change: Partial<CaseEvidence> = {}): CaseEvidence {
  const request = {
    number: 1,
    atMs: leftMs + 10,
    bucket,
    caseName: "a",
    fault: "insufficient_quota",
    status: 429,
    waitMs: null,
    usage: null,
  };
  const call = {
    id: "call_1",
    startedAtMs: leftMs,
    finishedAtMs: leftMs + 100,
    costMicroUsd: 0,
    reservedMicroUsd: null,
    estimated: false,
    isIntended: true,
  };
  return {
    name: "a",
    runId: "run_a",
    status: "waiting",
    code: null,
    waits: ["circuit"],
    wakeAtMs: null,
    calls: [call],
    requests: [request],
    ...change,
  };
}

describe("requests after the first refusal", () => {
  it("are those that left when its answer was there", () => {
    expect(timesAfterRefusal([refusedAt(1000), refusedAt(1090), refusedAt(1200)], bucket)).toEqual([1210]);
  });

  it("are those of their own account", () => {
    expect(timesAfterRefusal([refusedAt(1000), refusedAt(5000)], "openai/other")).toEqual([]);
  });

  it("may be one in any minute", () => {
    expect(mostInAMinute([0, 60_000, 120_000])).toBe(1);
    expect(mostInAMinute([0, 59_999])).toBe(2);
    expect(findInsisting([refusedAt(0), refusedAt(61_000), refusedAt(122_000)], bucket)).toEqual([]);
    expect(findInsisting([refusedAt(0), refusedAt(61_000), refusedAt(90_000)], bucket)).toHaveLength(1);
  });
});

describe("runs of a used-up account", () => {
  it("wait for the circuit", () => {
    expect(findNotWaiting([refusedAt(0)])).toEqual([]);
    expect(findNotWaiting([refusedAt(0, { waits: ["limit"] })])).toHaveLength(1);
    expect(findNotWaiting([refusedAt(0, { status: "failed", code: "MODEL_QUOTA_EXHAUSTED" })])).toHaveLength(1);
  });

  it("succeed in the end", () => {
    expect(findNotSucceeded([refusedAt(0, { status: "succeeded" })], "now")).toEqual([]);
    expect(findNotSucceeded([refusedAt(0)], "now")).toHaveLength(1);
  });
});
