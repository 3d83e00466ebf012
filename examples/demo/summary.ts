import { formatMs } from "../../src/core/index.ts";
import type { DemoApplication } from "./application.ts";
import { deliveries } from "./deliveries.ts";
import type { Report, RunReport } from "./report.ts";
import { hotAbove, minutesByHand, scoreOf } from "./run-story.ts";
import type { Terminal } from "./terminal.ts";

/** Says in a few lines what the story came to. */
export async function tellSummary(terminal: Terminal, application: DemoApplication, report: Report): Promise<void> {
  const { events, runs, effects, problems } = report;
  const done = runs.filter((run) => run.status === "succeeded");
  const recovered = done.filter((run) => run.recovered).length;
  const hot = done.filter((run) => (scoreOf(run) ?? 0) > hotAbove).length;
  const duplicates = events.filter((event) => event.duplicate).length;
  const refused = events.filter((event) => event.code !== undefined).length;
  terminal.gap();
  terminal.heading("What it came to");
  terminal.fact("leads", describeWork(done.filter((run) => !run.recovered)));
  if (recovered > 0) terminal.fact("recovered", `${recovered} besides, of an earlier demo`);
  terminal.fact("Slack", `${count(effects.slack.length, "message")} for ${count(hot, "lead")} above ${hotAbove}`);
  terminal.fact("CRM", `${count(effects.hubspot.length, "record")} for ${count(runs.length, "accepted lead")}`);
  terminal.fact("suppressed", count(duplicates, "duplicate"));
  terminal.fact("refused", `${refused}, of which only a count is kept`);
  terminal.fact("the model got", await describeSent(application, runs));
  if (problems.length === 0) terminal.fact("checks", "all passed", "good");
  else terminal.fact("checks", `${problems.length} failed`, "bad");
}

function describeWork(done: readonly RunReport[]): string {
  const tookMs = done.reduce((sum, run) => sum + (run.durationMs ?? 0), 0);
  const work = `${done.length} analysed and filed in ${formatMs(tookMs)}`;
  return done.length === 0
    ? "none analysed and filed"
    : `${work}; by hand about ${done.length * minutesByHand} minutes`;
}

/** From the records of the calls: which fields, and with a real model what it took. */
async function describeSent({ app, simulated }: DemoApplication, runs: readonly RunReport[]): Promise<string> {
  const calls = (await Promise.all(runs.map(({ id }) => app.workspace.aiCalls.ofRun(id)))).flat();
  const [first] = calls;
  if (!first) return "nothing";
  const { availableFields } = first;
  const sentFields = first.sentFields.map(({ name }) => name);
  const kept = Object.keys(deliveries[0]?.lead ?? {}).filter((field) => !sentFields.includes(field));
  const sent = `${sentFields.length} of ${availableFields} fields: ${sentFields.join(" and ")}, never ${kept.join(" or ")}`;
  if (simulated) return sent;
  const tokens = calls.reduce((sum, call) => sum + (call.inputTokens ?? 0) + (call.outputTokens ?? 0), 0);
  const costUsd = calls.reduce((sum, call) => sum + (call.costMicroUsd ?? NaN), 0) / 1_000_000;
  const price = Number.isNaN(costUsd) ? "at an unknown price" : `for $${costUsd.toFixed(4)}`;
  return `${sent}; ${count(calls.length, "call")}, ${tokens} tokens ${price}`;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
