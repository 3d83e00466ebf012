import { setTimeout as delay } from "node:timers/promises";
import type { Json } from "sluice";
import { formatMs, isRecord } from "../../src/core/index.ts";
import type { RunRecord, StepRecord } from "../../src/store/index.ts";
import type { DemoApplication } from "./application.ts";
import type { Terminal } from "./terminal.ts";

/** Above this score the flow tells Slack. */
export const hotAbove = 70;

/** What it takes a person to read, judge, post and file a lead. */
export const minutesByHand = 10;

const pollMs = 25;
const ended: ReadonlySet<RunRecord["status"]> = new Set(["succeeded", "failed", "cancelled", "in_doubt"]);

/** What a story of a run needs. */
export interface StoryParts {
  readonly application: DemoApplication;
  readonly terminal: Terminal;
  /** Gives up the story; the run goes on. */
  readonly signal: AbortSignal;
}

/** How long the demo waits for a run: a model may be slow, and its provider may ask for a pause. */
function patienceMs({ simulated }: DemoApplication): number {
  return simulated ? 30_000 : 120_000;
}

/**
 * Tells what happens in a run while it happens, as its records show it.
 *
 * @returns the run when it has ended; as it stands when that takes too long.
 */
export async function tellRun(runId: string, { application, terminal, signal }: StoryParts): Promise<RunRecord | null> {
  const { runs, steps } = application.app.workspace;
  const story = new RunStory(application, terminal);
  const deadline = performance.now() + patienceMs(application);
  for (;;) {
    // The run first: what it looked like then, its steps have at least come to.
    const run = await runs.find(runId);
    story.tell(await steps.ofRun(runId));
    if (!run || ended.has(run.status)) {
      if (run) story.end(run);
      return run;
    }
    if (performance.now() > deadline) return run;
    await delay(pollMs, undefined, { signal });
  }
}

/** Waits for a run without a word. */
export async function awaitRun(runId: string, { application, signal }: StoryParts): Promise<void> {
  const { engine, workspace } = application.app;
  await engine.waitForEnd(workspace.id, runId, patienceMs(application), signal);
  signal.throwIfAborted();
}

/** The score that a run gave; null when it has none. */
export function scoreOf(run: Pick<RunRecord, "output">): number | null {
  return field(run.output, "score", "number");
}

/** Remembers what was told of a run. */
class RunStory {
  readonly #application: DemoApplication;
  readonly #terminal: Terminal;
  /** Step and what was told of it. */
  readonly #told = new Set<string>();
  #score: number | null = null;
  #slackTold = false;

  constructor(application: DemoApplication, terminal: Terminal) {
    this.#application = application;
    this.#terminal = terminal;
  }

  tell(steps: readonly StepRecord[]): void {
    for (const step of steps) {
      if (step.kind === "ai") this.#once(`${step.path} begun`, () => this.#tellAnalysing(step));
      const failures = step.attempts.filter((attempt) => attempt.error !== null);
      if (step.status === "waiting") {
        this.#once(`${step.path} waits ${failures.length}`, () => this.#tellWait(step, failures.at(-1)?.error?.code));
      }
      if (step.status === "succeeded") this.#once(`${step.path} ended`, () => this.#tellSuccess(step));
    }
  }

  end(run: RunRecord): void {
    if (run.status === "succeeded") {
      const tookMs = (run.finishedAt ?? new Date()).getTime() - run.queuedAt.getTime();
      return this.#terminal.event("done", `in ${formatMs(tookMs)} (by hand: ${minutesByHand} minutes)`, "good");
    }
    const error = isRecord(run.error) ? run.error : {};
    const lines = [`${textOf(error["code"])}: ${textOf(error["message"])}`];
    if (error["hint"] !== undefined) lines.push(textOf(error["hint"]));
    this.#terminal.event(run.status.replace("_", " "), lines, "bad");
  }

  #once(what: string, tell: () => void): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    tell();
  }

  #tellAnalysing({ input }: StepRecord): void {
    const sent = isRecord(input) && Array.isArray(input["sent"]) ? input["sent"].map(textOf) : [];
    const what = `${this.#application.modelName} gets ${sent.join(" and ")} only`;
    this.#terminal.event("analysing", what, "busy");
  }

  #tellWait({ wakeAt }: StepRecord, code = "waiting"): void {
    const waitMs = Math.max(0, (wakeAt?.getTime() ?? 0) - Date.now());
    this.#terminal.event("waiting", `${code}; once more in ${formatMs(waitMs)}`, "notable");
  }

  #tellSuccess(step: StepRecord): void {
    if (step.kind === "ai") this.#tellAnalysis(step.output);
    else if (step.name.startsWith("slack.")) this.#tellSlack();
    else this.#tellCrm(step);
  }

  #tellAnalysis(output: Json): void {
    this.#score = scoreOf({ output });
    const read = (name: string) => field(output, name, "string");
    const facts = `score ${this.#score}, ${read("urgency")} urgency, ${read("deal_size")} deal, to ${read("route_to")}`;
    const mark = this.#application.simulated ? "SIMULATED: " : "";
    this.#terminal.event("analysed", this.#terminal.quotes ? [read("intent") ?? "", facts] : `${mark}${facts}`);
  }

  #tellSlack(): void {
    this.#slackTold = true;
    this.#terminal.event("Slack", `posted to #high-priority-leads: ${this.#score} is above ${hotAbove}`);
  }

  #tellCrm({ input, output }: StepRecord): void {
    if (!this.#slackTold) this.#terminal.event("Slack", `not told: ${this.#score} is not above ${hotAbove}`);
    const created = isRecord(output) && output["created"] === true;
    const tags = isRecord(input) && Array.isArray(input["tags"]) ? input["tags"].map(textOf) : [];
    const contact = `contact ${field(output, "contactId", "string")}`;
    this.#terminal.event("CRM", `lead ${created ? "created" : "updated"} (${contact}), tags ${tags.join(" and ")}`);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function field(value: Json, name: string, type: "number"): number | null;
function field(value: Json, name: string, type: "string"): string | null;
function field(value: Json, name: string, type: string): unknown {
  const found = isRecord(value) ? value[name] : undefined;
  return typeof found === type ? found : null;
}
