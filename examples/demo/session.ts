import { once } from "node:events";
import { relative } from "node:path";
import { startApplication } from "./application.ts";
import { type Answer, createDeliveryId, deliveries, send } from "./deliveries.ts";
import type { DemoOptions } from "./options.ts";
import { findLeftRuns } from "./recovery.ts";
import { collectEffects, type EventReport, type Report, reportRun } from "./report.ts";
import { awaitRun, type StoryParts, tellRun } from "./run-story.ts";
import { tellSummary } from "./summary.ts";
import { print, type Terminal } from "./terminal.ts";
import { findProblems } from "./verdict.ts";

/** More runs than this are recovered without a story each. */
const mostRecoveriesTold = 3;

/** Starts the application, tells the story, and stays up if asked to; gives the exit code. */
export async function runSession(options: DemoOptions, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const application = await startApplication(options.folder, terminal);
  try {
    const report = await tellStory({ application, terminal, signal });
    await tellSummary(terminal, application, report);
    if (options.json) await print(`${JSON.stringify(report, null, 2)}\n`);
    for (const problem of report.problems) process.stderr.write(`not as promised: ${problem}\n`);
    if (!options.once) await stayUp({ application, terminal, signal });
    return report.ok ? 0 : 1;
  } finally {
    await application.close();
  }
}

async function tellStory(parts: StoryParts): Promise<Report> {
  const { application } = parts;
  tellReady(parts);
  const left = await recover(parts);
  const events = await deliverAll(parts);
  const started = events.flatMap(({ runId, duplicate }) => (runId === undefined || duplicate ? [] : [runId]));
  const runs = await Promise.all([...left, ...started].map((id) => reportRun(application, id, left.includes(id))));
  const found = runs.filter((run) => run !== null);
  const calls = (await application.app.sandbox?.calls()) ?? [];
  const facts = { events, runs: found, effects: collectEffects(calls, new Set(found.map((run) => run.id))) };
  const problems = findProblems(facts);
  const { model, database, readyMs } = application;
  return { ok: problems.length === 0, model, database, readyMs, ...facts, problems };
}

function tellReady({ application, terminal }: StoryParts): void {
  const { modelReason, model, simulated, database, hookUrl } = application;
  terminal.event("ready", [`database ${database}`, `model ${model}`, `listening at ${hookUrl}`], "good");
  if (simulated) terminal.event("model", `simulated, as ${modelReason}`, "notable");
  else terminal.event("model", `a real one, as ${modelReason}: it takes longer, and spends real tokens`, "notable");
}

/** Waits for what an earlier demo left; gives the ids of those runs. */
async function recover(parts: StoryParts): Promise<string[]> {
  const { application, terminal } = parts;
  const left = (await findLeftRuns(application)).map((run) => run.id);
  if (left.length === 0) return left;
  terminal.gap();
  const leads = left.length === 1 ? "a lead" : `${left.length} leads`;
  terminal.heading(`Recovered: ${leads} that an earlier demo had accepted and not finished`);
  if (left.length <= mostRecoveriesTold) for (const id of left) await tellRun(id, parts);
  else await Promise.all(left.map((id) => awaitRun(id, parts)));
  return left;
}

async function deliverAll(parts: StoryParts): Promise<EventReport[]> {
  const { application, terminal, signal } = parts;
  const ids = new Map<string, string>();
  const events: EventReport[] = [];
  for (const [at, delivery] of deliveries.entries()) {
    signal.throwIfAborted();
    const { name, title, lead, repeats = name } = delivery;
    const id = ids.get(repeats) ?? createDeliveryId(application.folderId);
    ids.set(name, id);
    terminal.gap();
    const isLead = delivery.expected.status === 202;
    terminal.heading(`${at + 1}  ${title}${isLead && terminal.quotes ? `: ${lead.name}, ${lead.company}` : ""}`);
    if (isLead) terminal.quote(lead.message);
    const answer = await send(application, delivery, id);
    tellAnswer(terminal, answer);
    if (answer.status === 202 && answer.runId !== undefined) await tellRun(answer.runId, parts);
    const { status, runId, duplicate, code } = answer;
    events.push({
      name,
      status,
      ...(runId !== undefined && { runId, duplicate }),
      ...(code !== undefined && { code }),
    });
  }
  return events;
}

function tellAnswer(terminal: Terminal, answer: Answer): void {
  const answered = `answered ${answer.status} in ${Math.round(answer.tookMs)} ms`;
  if (answer.code !== undefined) {
    const places = answer.places.length > 0 ? ` at ${answer.places.join(", ")}` : "";
    terminal.event("refused", `${answered}: ${answer.code}${places}`, "notable");
  } else if (answer.duplicate) {
    terminal.event("duplicate", `${answered}: known already, nothing runs again`, "notable");
  } else {
    terminal.event("received", `signature checked, lead stored, ${answered}`);
  }
}

/** Shows where to go on, and keeps the application up until a signal. */
async function stayUp({ application, terminal, signal }: StoryParts): Promise<void> {
  signal.throwIfAborted();
  const { app, logFile } = application;
  const log = relative(process.cwd(), logFile);
  const setupLink = await app.setupLink();
  terminal.gap();
  terminal.heading("Now look at it");
  if (setupLink === null) {
    terminal.text(app.adminUrl ?? "");
    terminal.text("Sign in there with the user you made before.");
  } else {
    terminal.text(setupLink);
    terminal.text("This link makes the first user of the dashboard. It works once.");
  }
  terminal.gap();
  terminal.text(`Log: ${log.startsWith("..") ? logFile : log}`);
  terminal.text("Stop with Ctrl-C; the data stays for the next time.");
  if (!signal.aborted) await once(signal, "abort");
  terminal.text("Stopping.");
}
