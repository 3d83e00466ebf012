import { formatMs } from "../../src/core/index.ts";
import type { DemoApplication } from "./application.ts";
import { deliveries } from "./deliveries.ts";
import type { Report } from "./report.ts";
import { hotAbove, minutesByHand, scoreOf } from "./run-story.ts";
import type { Terminal } from "./terminal.ts";

/** Says in a few lines what the story came to. */
export async function tellSummary(terminal: Terminal, application: DemoApplication, report: Report): Promise<void> {
  const { events, runs, effects, problems } = report;
  const done = runs.filter((run) => run.status === "succeeded");
  const own = done.filter((run) => run.recovered !== true);
  const tookMs = own.reduce((sum, run) => sum + (run.durationMs ?? 0), 0);
  const refused = events.filter((event) => event.code !== undefined).length;
  terminal.gap();
  terminal.heading("What it came to");
  terminal.fact(
    "leads",
    `${own.length} analysed and filed in ${formatMs(tookMs)}; by hand about ${own.length * minutesByHand} minutes`,
  );
  const recovered = done.length - own.length;
  if (recovered > 0) terminal.fact("recovered", `${count(recovered, "run")} of a demo that was killed`);
  const hot = done.filter((run) => (scoreOf(run) ?? 0) > hotAbove).length;
  terminal.fact("Slack", `${count(effects.slack.length, "message")} for ${count(hot, "lead")} above ${hotAbove}`);
  terminal.fact("CRM", `${count(effects.hubspot.length, "record")} for ${count(runs.length, "accepted lead")}`);
  terminal.fact("suppressed", count(events.filter((event) => event.duplicate === true).length, "duplicate delivery"));
  terminal.fact("refused", `${count(refused, "delivery")}, of which only a count is kept`);
  terminal.fact(
    "the model got",
    await describeSent(
      application,
      own.map((run) => run.id),
    ),
  );
  terminal.fact("checks", problems.length === 0 ? "all passed" : `${problems.length} failed`, toneOf(problems));
  for (const problem of problems) terminal.fact("", problem, "bad");
}

function toneOf(problems: readonly string[]): "good" | "bad" {
  return problems.length === 0 ? "good" : "bad";
}

const plurals: { readonly [word: string]: string } = {
  delivery: "deliveries",
  "duplicate delivery": "duplicate deliveries",
};

function count(number: number, word: string): string {
  return `${number} ${number === 1 ? word : (plurals[word] ?? `${word}s`)}`;
}

/** From the records of the calls: which fields, and with a real model what it took. */
async function describeSent({ app, simulated }: DemoApplication, runIds: readonly string[]): Promise<string> {
  const calls = (await Promise.all(runIds.map((id) => app.workspace.aiCalls.ofRun(id)))).flat();
  const [first] = calls;
  if (!first) return "nothing";
  const all = Object.keys(deliveries[0]?.lead ?? {});
  const kept = all.filter((field) => !first.sentFields.includes(field));
  const fields = `${first.sentFields.length} of ${first.availableFields} fields: ${first.sentFields.join(" and ")}, never ${kept.join(" or ")}`;
  if (simulated) return fields;
  const tokens = calls.reduce((sum, call) => sum + (call.inputTokens ?? 0) + (call.outputTokens ?? 0), 0);
  const priced = calls.every((call) => call.costMicroUsd !== null);
  const costUsd = calls.reduce((sum, call) => sum + (call.costMicroUsd ?? 0), 0) / 1_000_000;
  return `${fields}; ${count(calls.length, "call")}, ${tokens} tokens, ${priced ? `$${costUsd.toFixed(4)}` : "price unknown"}`;
}
