import {
  type AiCallRecord,
  type AnswerRung,
  formatStepPath,
  isRecord,
  type Json,
  type Receipt,
} from "../core/index.ts";
import { type EventRecord, questionOf, type RunRecord, type StepRecord, unfitStepOf } from "../store/index.ts";
import { usdText } from "./money-text.ts";
import { hasEnded, receiptWords, rulingWords, runMarks, statusSpan, times, waitWords } from "./run-words.ts";
import { type Cell, formatTable } from "./table.ts";
import { type Span, type Terminal, toned, toVisibleJson } from "./terminal.ts";
import { durationText, timeText } from "./time-text.ts";

/** Everything that is recorded of one run. */
export interface RunParts {
  readonly run: RunRecord;
  readonly event: EventRecord | null;
  readonly steps: readonly StepRecord[];
  readonly aiCalls: readonly AiCallRecord[];
  readonly receipts: readonly Receipt[];
  /** Runs that its steps started. */
  readonly subflows: readonly RunRecord[];
}

/** Prints a run: how it stands, its steps in their order with what they did, and its end. */
export function printTimeline(terminal: Terminal, parts: RunParts): void {
  const { run, steps } = parts;
  const marks = runMarks(run);
  terminal.print(
    toned("strong", run.flow),
    "  ",
    statusSpan(run.status),
    ...(marks.length > 0 ? ["  ", ...marks] : []),
  );
  for (const line of formatTable(factRows(parts), { indent: "  " })) terminal.print(...line);
  terminal.print();
  printSteps(terminal, parts);
  if (steps.length === 0) terminal.print(toned("faint", "No step yet."));
  if (run.error !== null) printError(terminal, parts);
  if (run.status === "succeeded") {
    terminal.print();
    terminal.print(toned("strong", "Output"));
    terminal.print(toVisibleJson(run.output));
  }
}

const between = (from: Date, to: Date): string => durationText(to.getTime() - from.getTime());

function factRows({ run, event }: RunParts): Cell[][] {
  const { queuedAt, startedAt, finishedAt } = run;
  return [
    ["run", run.id],
    [
      "accepted",
      `${timeText(queuedAt)} from ${event?.source ?? "an event that is gone"}${event?.deliveryId ? `, delivery ${event.deliveryId}` : ""}`,
    ],
    ...(startedAt ? [["started", `after ${between(queuedAt, startedAt)} in the queue`]] : []),
    ...(finishedAt ? [["took", between(queuedAt, finishedAt)]] : []),
    ...(run.priority === 1 ? [] : [["priority", run.priority === 0 ? "interactive" : "batch"]]),
    ...(run.parentRunId === null ? [] : [["sub-flow of", run.parentRunId]]),
    ...(run.wakeAt && run.status === "waiting" ? [["goes on at", timeText(run.wakeAt)]] : []),
  ];
}

function printSteps(terminal: Terminal, parts: RunParts): void {
  const { run, steps } = parts;
  const rows = steps.map((step): Cell[] => [
    `+${durationText(step.startedAt.getTime() - run.queuedAt.getTime())}`,
    formatStepPath(step.path),
    toned("strong", step.name),
    step.kind,
    isStopped(step, run) ? toned("faint", "– stopped") : statusSpan(step.status),
    step.finishedAt ? durationText(step.finishedAt.getTime() - step.startedAt.getTime()) : "",
  ]);
  const lines = formatTable(rows, { numbers: [0, 1, 5], indent: "  " });
  for (const [at, step] of steps.entries()) {
    terminal.print(...(lines[at] ?? []));
    for (const detail of detailsOf(step, parts)) terminal.print(" ".repeat(14), ...detail);
  }
}

/** Whether the run ended, as by cancelling it, before this step did. */
function isStopped({ finishedAt }: StepRecord, run: RunRecord): boolean {
  return finishedAt === null && hasEnded(run);
}

function detailsOf(step: StepRecord, { run, aiCalls, receipts, subflows }: RunParts): Span[][] {
  const ofStep = (record: { readonly stepPath: string }): boolean => record.stepPath === step.path;
  return [
    ...step.attempts.flatMap(({ number, error }): Span[][] =>
      error === null ? [] : [[`attempt ${number} failed: `, toned("bad", error.code), ` ${error.message}`]],
    ),
    ...(step.wakeAt && step.status === "waiting" && !isStopped(step, run)
      ? [[`${step.waitReason ? `waits for ${waitWords[step.waitReason]}; ` : ""}goes on at ${timeText(step.wakeAt)}`]]
      : []),
    ...aiCalls.filter(ofStep).map(aiCallLine),
    ...receipts.filter(ofStep).flatMap((receipt) => [receiptLine(receipt), ...rulingLines(receipt)]),
    ...subflows
      .filter(({ parentPath }) => parentPath === step.path)
      .map(({ id, flow, status }): Span[] => [`started ${flow}: `, statusSpan(status), "  ", toned("faint", id)]),
  ];
}

const rungWords: { readonly [Rung in AnswerRung]: string | null } = {
  as_is: null,
  repaired: "answer repaired",
  asked_again: "asked again",
  fallback: "after another model failed",
  review: "answered by a person",
};

function aiCallLine(call: AiCallRecord): Span[] {
  const { sentFields, availableFields, inputTokens, outputTokens, costMicroUsd, estimated, waitedMs, rung } = call;
  const masked = Object.values(call.masked).reduce((sum, count) => sum + count, 0);
  const facts = [
    `sent ${sentFields.length} of ${times(availableFields, "field")} (${sentFields.map(({ name }) => name).join(", ")})`,
    masked > 0 && `${times(masked, "value")} masked`,
    inputTokens !== null && `${inputTokens} + ${outputTokens ?? 0} tokens`,
    call.simulated
      ? "free"
      : `${costMicroUsd === null ? "cost unknown" : usdText(costMicroUsd)}${estimated ? " (estimated)" : ""}`,
    waitedMs >= 1000 && `waited ${durationText(waitedMs)}`,
    call.lane === "batch" && "in the batch lane",
    rung && rungWords[rung],
    call.status === "failed" ? "failed" : call.status === "intent" && "no answer yet",
  ];
  return [
    "asked ",
    call.model,
    ...(call.simulated ? [" ", toned("notable", "SIMULATED")] : []),
    `: ${facts.filter(Boolean).join("; ")}`,
  ];
}

function receiptLine({ connection, action, effect, state, attempts, key }: Receipt): Span[] {
  const tone = state === "done" ? "good" : state === "not_done" ? "bad" : "notable";
  const tries = attempts > 1 ? `, sent ${times(attempts, "time")}` : "";
  return [
    `${action} by ${connection} (${effect}): `,
    toned(tone, receiptWords[state]),
    `${tries}  `,
    toned("faint", key),
  ];
}

/** What a person said about an effect that was in doubt. */
function rulingLines({ ruling }: Receipt): Span[][] {
  if (ruling === null) return [];
  const { word, by, at } = ruling;
  return [[`${by ?? "a person at this machine"} said at ${timeText(new Date(at))}: ${rulingWords[word]}`]];
}

function printError(terminal: Terminal, { run, receipts }: RunParts): void {
  const { error, failedStep } = run;
  const { code, message, hint } = readError(error);
  terminal.print();
  const where = failedStep === null ? "in the flow's own code" : `at step ${formatStepPath(failedStep)}`;
  const title = run.status === "in_doubt" ? toned("notable", `In doubt ${where}`) : toned("bad", `Failed ${where}`);
  terminal.print(title, `: ${code}: ${message}`);
  if (hint) terminal.print(toned("busy", "hint"), `: ${hint}`);
  const next = nextCommand(run, receipts);
  if (next) terminal.print(toned("faint", next));
}

/** What a person may do about a run that did not go well. */
function nextCommand(run: RunRecord, receipts: readonly Receipt[]): string | null {
  if (run.status === "cancelled") return null;
  if (questionOf(run, receipts))
    return `Say what happened: sluice runs rule ${run.id} --done, --not-done or --try-again`;
  const resume = `sluice runs resume ${run.id}`;
  if (!unfitStepOf(run)) return `When it is mended: ${resume}`;
  return `Under the present code: sluice runs migrate ${run.id}; with the earlier code back: ${resume}`;
}

/** The parts of a stored error. */
export function readError(error: Json): { code: string; message: string; hint: string | undefined } {
  const { code, message, hint } = isRecord(error) ? error : {};
  return {
    code: typeof code === "string" ? code : "INTERNAL",
    message: typeof message === "string" ? message : "the record of this error cannot be read",
    hint: typeof hint === "string" ? hint : undefined,
  };
}
