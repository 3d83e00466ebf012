import type { RunDetailView, StepView } from "../../src/server/api/schemas.ts";
import { aiStep, analysis, effectStep, limited, makeRun, minute, step } from "./data.ts";

const at = (base: number, offset: number): string => new Date(base + offset).toISOString();

const crmDown = {
  code: "ACTION_REJECTED",
  message: "hubspot.createLead: HubSpot answered 400: property “lead_score” does not exist",
  hint: "Create the property lead_score in HubSpot (Settings, Properties), then resume the run.",
  retryable: false,
  details: { status: 400, category: "VALIDATION_ERROR" },
};

const slackDoubt = {
  code: "EFFECT_IN_DOUBT",
  message: "slack.postMessage was sent and the process died before an answer was recorded",
  hint: "Look in #high-priority-leads for the message of Northwind Logistics, then resume or cancel the run.",
  retryable: false,
};

const routed = (base: number, id: string): StepView[] => [
  aiStep(base, 0, { at: 4, took: 1320, again: true }),
  effectStep(base, 1, id, "slack.postMessage", { at: 1330, took: 240 }),
  effectStep(base, 2, id, "crm.createLead", { at: 1575, took: 410 }),
];

const failed = (base: number, id: string): StepView[] => [
  aiStep(base, 0, {
    at: 4,
    took: 3900,
    attempts: [
      { number: 1, startedAt: at(base, 4), finishedAt: at(base, 190), error: limited },
      { number: 2, startedAt: at(base, 2620), finishedAt: at(base, 3904), error: null },
    ],
  }),
  effectStep(base, 1, id, "slack.postMessage", { at: 3910, took: 240 }),
  effectStep(base, 2, id, "crm.createLead", {
    at: 4155,
    took: 300,
    status: "failed",
    state: "not_done",
    error: crmDown,
    attempts: [{ number: 1, startedAt: at(base, 4155), finishedAt: at(base, 4455), error: crmDown }],
  }),
];

/** Runs in every state, the newest first. */
export function inventRuns(): RunDetailView[] {
  const runs = [
    makeRun({
      agoMs: 3000,
      took: null,
      status: "running",
      queueMs: 6,
      steps: (base) => [aiStep(base, 0, { at: 5, took: null })],
    }),
    makeRun({
      agoMs: 40_000,
      took: 1990,
      output: analysis,
      steps: routed,
      event: { duplicates: 3, lastDuplicateAt: new Date(Date.now() - 12_000).toISOString() },
    }),
    makeRun({
      agoMs: 4 * minute,
      took: null,
      status: "waiting",
      steps: (base) => [
        aiStep(base, 0, {
          at: 4,
          took: null,
          status: "waiting",
          wakeAt: new Date(Date.now() + 95_000).toISOString(),
          attempts: [{ number: 1, startedAt: at(base, 4), finishedAt: at(base, 400), error: limited }],
        }),
      ],
    }),
    makeRun({
      agoMs: 6 * minute,
      took: 4470,
      status: "failed",
      error: crmDown,
      failedStep: 2,
      steps: failed,
      event: { sample: false },
    }),
    makeRun({
      agoMs: 21 * minute,
      took: 900_000,
      status: "in_doubt",
      error: slackDoubt,
      failedStep: 1,
      recoveries: 1,
      steps: (base, id) => [
        aiStep(base, 0, { at: 4, took: 1100 }),
        effectStep(base, 1, id, "slack.postMessage", {
          at: 1110,
          took: 898_000,
          status: "failed",
          state: "unknown",
          error: slackDoubt,
          attempts: [{ number: 1, startedAt: at(base, 1110), finishedAt: at(base, 1900), error: slackDoubt }],
        }),
      ],
    }),
    makeRun({
      agoMs: 135 * minute,
      took: null,
      status: "waiting",
      steps: (base, id) => [
        aiStep(base, 0, { at: 4, took: 1410, simulated: true }),
        step(base, 1, "cool down", "sleep", { at: 1420, took: 20_000 }),
        effectStep(base, 2, id, "slack.postMessage", { at: 21_450, took: 220 }),
        step(base, 3, "sales-accepted", "signal", { at: 21_700, took: null, status: "waiting", attempts: [] }),
      ],
      event: { sample: true, deliveryId: null },
    }),
    makeRun({
      agoMs: 150 * minute,
      took: 2210,
      output: analysis,
      steps: (base, id) => [
        step(base, 0, "look up territory", "code", {
          at: 3,
          took: 120,
          input: "Northwind",
          output: { territory: "north" },
        }),
        ...routed(base + 130, id).map((each) => ({ ...each, sequence: each.sequence + 1 })),
      ],
      resumes: 1,
    }),
    makeRun({
      agoMs: 170 * minute,
      took: 61_000,
      status: "cancelled",
      steps: (base) => [aiStep(base, 0, { at: 4, took: 1200 })],
    }),
    makeRun({ agoMs: 2000, queueMs: 2000, took: null, status: "queued", startedAt: null, flowVersion: null }),
    ...Array.from({ length: 90 }, (_, index) =>
      makeRun({
        agoMs: (190 + index * 7) * minute,
        took: 1600 + ((index * 271) % 1900),
        flow: index % 5 === 3 ? "ticket-triage" : "lead-routing",
        output: {
          ...analysis,
          intent:
            [
              "Asks for a price list",
              "Wants to switch from a competitor",
              "Student asking for a free plan",
              "Reports a broken export",
            ][index % 4] ?? "",
          score: 20 + ((index * 37) % 80),
        },
        steps: routed,
        recoveries: index === 4 ? 1 : 0,
      }),
    ),
  ].toSorted((a, b) => b.queuedAt.localeCompare(a.queuedAt));
  for (const run of runs) if (run.failedStep !== null) addPreview(run);
  return runs;
}

function addPreview(run: RunDetailView): void {
  run.resume = {
    possible: true,
    fromStep: run.failedStep,
    effects: run.steps.flatMap(({ receipt, sequence }) =>
      receipt && sequence >= (run.failedStep ?? 0)
        ? [{ action: receipt.action, key: receipt.key, state: receipt.state, wouldRepeat: receipt.state !== "done" }]
        : [],
    ),
  };
}

/** The steps a resumed or new run goes through, for showing a run as it moves. */
export const progress = (base: number, id: string): StepView[] => [
  aiStep(base, 0, { at: 100, took: 1800, simulated: true }),
  effectStep(base, 1, id, "slack.postMessage", { at: 2000, took: 700 }),
  effectStep(base, 2, id, "crm.createLead", { at: 2800, took: 900 }),
];
