import { describe, expect, it } from "vitest";
import type { SandboxCall } from "../src/sandbox/index.ts";
import { countRepeats, type Evidence, findAll, type RunEvidence } from "./checker.ts";
import { type Acknowledged, makeLeads } from "./leads.ts";

const recordedAt = "2026-08-01T12:00:01.000Z";
const before = "2026-08-01T12:00:00.000Z";
const after = "2026-08-01T12:00:02.000Z";

const leads = makeLeads(1, "checker", 8);
const hot = leads.find((lead) => lead.isHot)!;
const item: Acknowledged = { lead: hot, runId: "run_1" };

const step: RunEvidence["steps"][number] = {
  path: "1",
  name: "slack.postMessage",
  kind: "effect",
  status: "succeeded",
  output: { ts: "1" },
  attempts: [{ startedAt: before, error: null }],
  finishedAt: new Date(recordedAt),
};

const run: RunEvidence = {
  run: { id: "run_1", status: "succeeded", recoveries: 1, error: null },
  steps: [step],
  aiCalls: [{ path: "0", startedAt: new Date(before) }],
  operations: new Map([["1", { name: "slack.postMessage", output: { value: { ts: "1" } } }]]),
};

const message = {
  at: before,
  path: "/slack/api/chat.postMessage",
  body: { text: `${hot.payload.company}: wants to buy` },
  idempotencyKey: "run_1/1",
  effect: { kind: "slack.message.posted" },
} as unknown as SandboxCall;

const contact = {
  at: before,
  path: "/hubspot/crm/v3/objects/contacts",
  body: null,
  idempotencyKey: "run_1/2",
  effect: { kind: "hubspot.contact.created", contact: { properties: { email: hot.payload.email } } },
} as unknown as SandboxCall;

const sound: Evidence = { acknowledged: [item], calls: [message, contact], runs: new Map([["run_1", run]]) };

function kindsOf(change: Partial<Evidence>): string[] {
  return findAll({ ...sound, ...change }).map((finding) => finding.kind);
}

function withRun(change: Partial<RunEvidence>): Partial<Evidence> {
  return { runs: new Map([["run_1", { ...run, ...change }]]) };
}

function withStep(change: Partial<typeof step>): Partial<Evidence> {
  return withRun({ steps: [{ ...step, ...change }] });
}

describe("the checker of the experiments", () => {
  it("finds nothing in a sound run", () => {
    expect(kindsOf({})).toEqual([]);
  });

  it("finds a lost run, and one that never ended", () => {
    expect(kindsOf({ runs: new Map() })).toEqual(["lost"]);
    expect(kindsOf(withRun({ run: { ...run.run, status: "running" } }))).toEqual(["lost"]);
  });

  it("finds a run that failed", () => {
    expect(kindsOf(withRun({ run: { ...run.run, status: "failed" } }))).toEqual(["failed"]);
  });

  it("finds an effect that happened twice, under one key or two, and one that did not happen", () => {
    expect(kindsOf({ calls: [message, message, contact] })).toEqual(["doubled"]);
    expect(kindsOf({ calls: [message, contact, contact] })).toEqual(["doubled"]);
    const answerLost = { ...message, idempotencyKey: "run_1/7", effect: null };
    expect(kindsOf({ calls: [message, answerLost, contact] })).toEqual(["doubled"]);
    expect(kindsOf({ calls: [contact] })).toEqual(["missing"]);
  });

  it("counts what happened again under its own key, and lets it pass where that is allowed", () => {
    const again = { ...sound, calls: [message, contact, message] };
    expect(countRepeats(again)).toBe(1);
    expect(findAll(again, "repeats")).toEqual([]);
    const otherKey = { ...sound, calls: [message, contact, { ...message, idempotencyKey: "run_1/7" }] };
    expect(countRepeats(otherKey)).toBe(0);
    expect(findAll(otherKey, "repeats")).not.toEqual([]);
  });

  it("finds a step that was done again after its record: outside, at a model, or by a further attempt", () => {
    const late = { ...message, at: after, effect: null };
    expect(kindsOf({ calls: [message, late, contact] })).toEqual(["rerun"]);
    expect(kindsOf(withRun({ aiCalls: [{ path: "1", startedAt: new Date(after) }] }))).toEqual(["rerun"]);
    const again = { startedAt: after, error: { code: "STEP_FAILED" } };
    expect(kindsOf(withStep({ attempts: [...step.attempts, again] }))).toEqual(["rerun"]);
    expect(kindsOf(withStep({ attempts: [...step.attempts, ...step.attempts] }))).toEqual(["rerun"]);
  });

  it("finds two records of a step that do not agree", () => {
    expect(kindsOf(withStep({ output: { ts: "2" } }))).toEqual(["torn"]);
    expect(kindsOf(withRun({ operations: new Map() }))).toEqual(["torn"]);
    expect(kindsOf(withStep({ finishedAt: null, status: "running" }))).toEqual(["torn"]);
  });
});
