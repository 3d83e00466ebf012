import { describe, expect, it } from "vitest";
import { faultKinds } from "../src/sandbox/index.ts";
import type { CallEvidence } from "./model-lab.ts";
import type { ModelRequest } from "./model-record.ts";
import {
  type FaultCase,
  findBudgetFaults,
  findHotLoops,
  findInsideWaits,
  findUnrecorded,
  findWrongCosts,
  findWrongEnds,
} from "./provider-faults-judge.ts";
import { allowedFailures, isFinal } from "./provider-faults-plan.ts";

/** 100 tokens in at 2, 50 out at 8 micro-dollars. */
const charged = 600;

const request: ModelRequest = {
  number: 1,
  atMs: 10_000,
  bucket: "openai/sandbox-mixed",
  caseName: "case-1",
  fault: null,
  status: 200,
  waitMs: null,
  usage: { inputTokens: 100, outputTokens: 50 },
};

const call: CallEvidence = {
  id: "call_1",
  startedAtMs: 9990,
  finishedAtMs: 10_050,
  costMicroUsd: charged,
  reservedMicroUsd: 3000,
  estimated: false,
  isIntended: true,
};

/** A request that met a fault, and a second one that was answered. */
function caseWith(change: Partial<FaultCase> = {}, fault = "server_error"): FaultCase {
  return {
    name: "case-1",
    runId: "run_1",
    role: "mixed",
    kind: null,
    status: "succeeded",
    code: null,
    waits: [],
    wakeAtMs: null,
    calls: [
      { ...call, costMicroUsd: 0 },
      { ...call, startedAtMs: 10_990, finishedAtMs: 11_050 },
    ],
    requests: [
      { ...request, fault, status: 500, usage: null },
      { ...request, number: 2, atMs: 11_000 },
    ],
    ...change,
  };
}

const failed = (code: string, change: Partial<FaultCase> = {}) => ({ status: "failed", code, ...change });

describe("the end of a run", () => {
  it("is success, or a failure of the class of a fault that it met", () => {
    expect(findWrongEnds([caseWith(), caseWith(failed("MODEL_UNAVAILABLE"))])).toEqual([]);
    expect(findWrongEnds([caseWith(failed("MODEL_REFUSED"), "refusal")])).toEqual([]);
  });

  it("is wrong with a code of another class, without a fault, or when there is none", () => {
    expect(findWrongEnds([caseWith(failed("MODEL_REFUSED"))])).toHaveLength(1);
    expect(findWrongEnds([caseWith(failed("MODEL_UNAVAILABLE", { requests: [request] }))])).toHaveLength(1);
    expect(findWrongEnds([caseWith({ status: "running" })])).toHaveLength(1);
  });

  it("is success after one fault, and failure after a refusal", () => {
    expect(
      findWrongEnds([caseWith({ role: "each", kind: "server_error", ...failed("MODEL_UNAVAILABLE") })]),
    ).toHaveLength(1);
    expect(findWrongEnds([caseWith({ role: "each", kind: "refusal" }, "refusal")])).toHaveLength(1);
  });

  it("is a wait for the limit where that is long", () => {
    expect(findWrongEnds([caseWith({ role: "parked", status: "waiting", waits: ["limit"] })])).toEqual([]);
    expect(findWrongEnds([caseWith({ role: "parked", status: "waiting", waits: [] })])).toHaveLength(1);
  });
});

describe("an announced wait", () => {
  const refused: FaultCase = caseWith({
    calls: [call],
    requests: [{ ...request, status: 429, waitMs: 1500, usage: null, fault: "rate_limit_exceeded" }],
  });
  const other = (leftMs: number): FaultCase =>
    caseWith({
      calls: [{ ...call, startedAtMs: leftMs }],
      requests: [{ ...request, number: 2, atMs: leftMs + 10 }],
    });

  it("is kept by what was on its way, and by what comes after it", () => {
    expect(findInsideWaits([refused, other(10_040)])).toEqual([]);
    expect(findInsideWaits([refused, other(11_500)])).toEqual([]);
  });

  it("is broken by a request of any run that leaves in it", () => {
    expect(findInsideWaits([refused, other(10_200)])).toHaveLength(1);
  });

  it("concerns its own model only", () => {
    const elsewhere = caseWith({ calls: [call], requests: [{ ...request, atMs: 10_500, bucket: "openai/other" }] });
    expect(findInsideWaits([refused, elsewhere])).toEqual([]);
  });
});

describe("a hot loop", () => {
  it("is two requests of a step within 250 ms", () => {
    expect(findHotLoops([caseWith()])).toEqual([]);
    expect(findHotLoops([caseWith({ requests: [request, { ...request, atMs: 10_249 }] })])).toHaveLength(1);
  });
});

const evidence = (cases: readonly FaultCase[]) => ({ cases, accounts: [], strays: [], ledgerProblems: [] });

describe("the ledger", () => {
  it("has an intent for each request, and verifies", () => {
    expect(findUnrecorded(evidence([caseWith()]))).toEqual([]);
    expect(findUnrecorded(evidence([caseWith({ calls: [call] })]))).toHaveLength(1);
    expect(findUnrecorded(evidence([caseWith({ calls: [call, { ...call, isIntended: false }] })]))).toHaveLength(1);
    expect(findUnrecorded({ ...evidence([]), strays: [request], ledgerProblems: ["entry 1: changed"] })).toHaveLength(
      2,
    );
  });
});

const alone = (change: Partial<CallEvidence>) => caseWith({ calls: [{ ...call, ...change }], requests: [request] });

describe("costs", () => {
  it("are what the provider charges, by estimate, or unknown with enough set aside", () => {
    expect(
      findWrongCosts([alone({}), alone({ costMicroUsd: 1, estimated: true }), alone({ costMicroUsd: null })]),
    ).toEqual([]);
  });

  it("are wrong when another amount is recorded, too little was set aside, or a request has no call", () => {
    expect(findWrongCosts([alone({ costMicroUsd: charged - 1 })])).toHaveLength(1);
    expect(findWrongCosts([alone({ costMicroUsd: null, reservedMicroUsd: charged - 1 })])).toHaveLength(1);
    expect(findWrongCosts([caseWith({ calls: [call] })])).toHaveLength(1);
  });
});

const faultsOfBudget = (spentMicroUsd: number, limitMicroUsd = 10_000) =>
  findBudgetFaults({
    cases: [caseWith({ calls: [call] })],
    accounts: [{ account: "run/run_1", limitMicroUsd, spentMicroUsd }],
  });

describe("a budget", () => {
  it("counts what its calls cost, or what was set aside for them", () => {
    expect(faultsOfBudget(charged)).toEqual([]);
    expect(faultsOfBudget(3000)).toEqual([]);
  });

  it("is at fault when it counts less or more, or more than it allows", () => {
    expect(faultsOfBudget(charged - 1)).toHaveLength(1);
    expect(faultsOfBudget(3001)).toHaveLength(1);
    expect(faultsOfBudget(charged, charged - 1)).toHaveLength(1);
  });
});

describe("the plan", () => {
  it("knows how every fault of the vendors of text is to be taken", () => {
    const harmless = new Set(["limits_not_positive", "limits_absent", "usage_missing", "malformed_json"]);
    const kinds = [...faultKinds.openai, ...faultKinds.anthropic].filter((kind) => !kind.startsWith("batch"));
    const unknown = kinds.filter((kind) => allowedFailures(kind).length === 0 && !harmless.has(kind) && !isFinal(kind));
    expect(unknown).toEqual([]);
  });
});
