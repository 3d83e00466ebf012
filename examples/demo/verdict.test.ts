import { describe, expect, it } from "vitest";
import type { HubspotEffect, Report, RunReport, SlackEffect } from "./report.ts";
import { findProblems } from "./verdict.ts";

type Facts = Pick<Report, "events" | "runs" | "effects">;

const run = (id: string, score: number): RunReport => ({
  id,
  flow: "lead-routing",
  status: "succeeded",
  output: { score },
  durationMs: 1,
  steps: [],
});

const message = (runId: string): SlackEffect => ({
  runId,
  channel: "#high-priority-leads",
  text: "",
  ts: "1.0",
  idempotencyKey: `${runId}/1`,
});

const lead = (runId: string): HubspotEffect => ({
  runId,
  id: "101",
  operation: "created",
  email: "",
  properties: {},
  idempotencyKey: `${runId}/2`,
});

const asPromised: Facts = {
  events: [
    { name: "urgent-lead", status: 202, runId: "run_a", duplicate: false },
    { name: "vague-lead", status: 202, runId: "run_b", duplicate: false },
    { name: "support-request", status: 202, runId: "run_c", duplicate: false },
    { name: "duplicate-delivery", status: 200, runId: "run_a", duplicate: true },
    { name: "bad-signature", status: 401, code: "SIGNATURE_INVALID" },
    { name: "broken-payload", status: 422, code: "PAYLOAD_INVALID" },
    { name: "broken-json", status: 400, code: "BODY_NOT_JSON" },
  ],
  runs: [run("run_a", 71), run("run_b", 70), run("run_c", 4)],
  effects: { slack: [message("run_a")], hubspot: ["run_a", "run_b", "run_c"].map(lead) },
};

const { events, runs, effects } = asPromised;
const withEvent = (change: Partial<Report["events"][number]> & { readonly name: string }) =>
  events.map((event) => (event.name === change.name ? { ...event, ...change } : event));

describe("the verdict of the demo", () => {
  it("finds nothing when every promise was kept", () => {
    expect(findProblems(asPromised)).toEqual([]);
  });

  it("holds recovered runs to the same promises", () => {
    const left: RunReport = { ...run("run_0", 90), recovered: true };
    const facts = { events, runs: [left, ...runs], effects };
    expect(findProblems(facts)).toHaveLength(2);
    const kept = { slack: [message("run_0"), ...effects.slack], hubspot: [lead("run_0"), ...effects.hubspot] };
    expect(findProblems({ ...facts, effects: kept })).toEqual([]);
  });

  it("does not look for effects of a run that another process executed", () => {
    const away = runs.map((report) => ({ ...report, elsewhere: true as const }));
    expect(findProblems({ events, runs: away, effects: { slack: [], hubspot: [] } })).toEqual([]);
  });

  it.each<[string, Partial<Facts>, string]>([
    ["a second message", { effects: { ...effects, slack: [message("run_a"), message("run_a")] } }, "2 Slack messages"],
    ["no message", { effects: { ...effects, slack: [] } }, "0 Slack messages, not 1"],
    ["a message at exactly 70", { effects: { ...effects, slack: [message("run_a"), message("run_b")] } }, "not 0"],
    ["a doubled record", { effects: { ...effects, hubspot: [...effects.hubspot, lead("run_c")] } }, "2 CRM leads"],
    ["a missing record", { effects: { ...effects, hubspot: [lead("run_a"), lead("run_b")] } }, "0 CRM leads"],
    ["a lost run", { runs: runs.slice(1) }, "is nowhere"],
    ["a run too many", { runs: [...runs, run("run_d", 1)] }, "gave 4 runs"],
    [
      "a failed run",
      { runs: [...runs.slice(0, 2), { ...run("run_c", 4), status: "failed", code: "OUTPUT_INVALID" }] },
      "is failed OUTPUT_INVALID",
    ],
    ["an accepted forgery", { events: withEvent({ name: "bad-signature", status: 202 }) }, "answered 202"],
    ["another code", { events: withEvent({ name: "broken-json", code: "INTERNAL" }) }, "not 400 BODY_NOT_JSON"],
    [
      "a duplicate with a run of its own",
      { events: withEvent({ name: "duplicate-delivery", runId: "run_x" }) },
      "another run",
    ],
    ["a lead taken for a duplicate", { events: withEvent({ name: "vague-lead", duplicate: true }) }, "duplicate: true"],
    ["a delivery that was not sent", { events: events.slice(1) }, "urgent-lead was not sent"],
  ])("finds %s", (_what, change, problem) => {
    expect(findProblems({ ...asPromised, ...change }).join("\n")).toContain(problem);
  });
});
