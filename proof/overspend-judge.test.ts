import { describe, expect, it } from "vitest";
import type { CaseEvidence } from "./model-lab.ts";
import { findOverspent, findSentThoughRefused, findWrongEnds, overspendOf } from "./overspend-judge.ts";
import { toPlan } from "./overspend-plan.ts";

const price = { inputUsdPerMillion: 1, outputUsdPerMillion: 10 };

/** A run of which so many requests were let through, and so many were seen: each is charged 1,100 micro-dollars. */
function sent(requests: number, calls = requests, change: Partial<CaseEvidence> = {}): CaseEvidence {
  const usage = { inputTokens: 100, outputTokens: 100 };
  const request = {
    number: 1,
    atMs: 0,
    bucket: "openai/a",
    caseName: "a",
    fault: null,
    status: 200,
    waitMs: null,
    usage,
  };
  const call = {
    id: "call_1",
    startedAtMs: 0,
    finishedAtMs: 1,
    costMicroUsd: 1100,
    reservedMicroUsd: 2000,
    estimated: false,
    isIntended: true,
  };
  return {
    name: "a",
    runId: "run_a",
    status: "succeeded",
    code: null,
    waits: [],
    wakeAtMs: null,
    calls: Array.from({ length: calls }, () => call),
    requests: Array.from({ length: requests }, () => request),
    ...change,
  };
}

describe("a budget", () => {
  it("is overspent by what is charged beyond it, down to the micro-dollar", () => {
    expect(overspendOf([sent(2), sent(1)], price, 3300)).toBe(0);
    expect(overspendOf([sent(2), sent(1)], price, 3299)).toBe(1);
  });

  it("is found overspent by what is charged, and by what it counts itself", () => {
    const budget = { name: "the budget", limitMicroUsd: 1100, cases: [sent(1)] };
    const account = { account: "flow/a/2026-11-24", limitMicroUsd: 1100, spentMicroUsd: 1100 };
    expect(findOverspent([budget], [account], price)).toEqual([]);
    expect(findOverspent([{ ...budget, cases: [sent(2)] }], [{ ...account, spentMicroUsd: 1101 }], price)).toHaveLength(
      2,
    );
  });
});

describe("a run", () => {
  it("has succeeded, or failed for want of money or of an answer", () => {
    const refused = { status: "failed", code: "BUDGET_EXCEEDED" };
    expect(
      findWrongEnds([sent(1), sent(0, 0, refused), sent(2, 2, { status: "failed", code: "MODEL_TIMEOUT" })]),
    ).toEqual([]);
    expect(
      findWrongEnds([sent(1, 1, { status: "failed", code: "INTERNAL" }), sent(0, 0, { status: "waiting" })]),
    ).toHaveLength(2);
  });

  it("has sent nothing that was not let through", () => {
    expect(findSentThoughRefused([sent(1, 1), sent(0, 1)])).toEqual([]);
    expect(findSentThoughRefused([sent(1, 0), sent(2, 1)])).toHaveLength(2);
  });
});

describe("the plan", () => {
  it("lets all calls together cost three times the budget", () => {
    const { price: planned } = toPlan(1000, 1);
    expect(planned.outputUsdPerMillion * 320 * 1000).toBeCloseTo(3_000_000, -4);
  });
});
