import { type Delivery, deliveries } from "./deliveries.ts";
import type { Effects, EventReport, Report, RunReport } from "./report.ts";
import { hotAbove, scoreOf } from "./run-story.ts";

/** Checks the promises of the example against what was recorded; gives those that were not kept, in words. */
export function findProblems({ events, runs, effects }: Pick<Report, "events" | "runs" | "effects">): string[] {
  const sent = deliveries.flatMap((delivery) => checkAnswer(delivery, events));
  return [...sent, ...checkCoverage(events, runs), ...runs.flatMap((run) => checkRun(run, effects))];
}

function checkAnswer({ name, expected, repeats }: Delivery, events: readonly EventReport[]): string[] {
  const event = events.find((candidate) => candidate.name === name);
  if (!event) return [`${name} was not sent`];
  const got = `${event.status}${event.code === undefined ? "" : ` ${event.code}`}`;
  const wanted = `${expected.status}${expected.code === undefined ? "" : ` ${expected.code}`}`;
  if (got !== wanted) return [`${name} was answered ${got}, not ${wanted}`];
  if (expected.code !== undefined) return [];
  if (event.runId === undefined) return [`${name} was accepted without a run`];
  if (event.duplicate !== (repeats !== undefined)) return [`${name} was answered with duplicate: ${event.duplicate}`];
  const first = events.find((candidate) => candidate.name === repeats);
  return first && first.runId !== event.runId ? [`${name} was answered with another run than ${repeats}`] : [];
}

/** Every accepted lead has one run, and there is no run besides. */
function checkCoverage(events: readonly EventReport[], runs: readonly RunReport[]): string[] {
  const accepted = events.filter((event) => event.runId !== undefined && event.duplicate !== true);
  const own = runs.filter((run) => run.recovered !== true);
  const missing = accepted.filter((event) => !runs.some((run) => run.id === event.runId));
  return [
    ...missing.map((event) => `${event.name} was accepted, and its run ${event.runId} is nowhere`),
    ...(own.length === accepted.length - missing.length ? [] : [`${accepted.length} leads gave ${own.length} runs`]),
  ];
}

function checkRun(run: RunReport, effects: Effects): string[] {
  if (run.status !== "succeeded")
    return [`run ${run.id} is ${[run.status, run.code].join(" ").trimEnd()}, not succeeded`];
  if (run.elsewhere) return [];
  const score = scoreOf(run);
  if (score === null) return [`run ${run.id} gave no score`];
  const messages = effects.slack.filter((effect) => effect.runId === run.id).length;
  const leads = effects.hubspot.filter((effect) => effect.runId === run.id).length;
  const wanted = score > hotAbove ? 1 : 0;
  return [
    ...(messages === wanted ? [] : [`run ${run.id} (score ${score}) posted ${messages} Slack messages, not ${wanted}`]),
    ...(leads === 1 ? [] : [`run ${run.id} wrote ${leads} CRM leads, not 1`]),
  ];
}
