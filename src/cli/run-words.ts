import { formatStepPath, type ReceiptState, type RulingWord, type WaitReason } from "../core/index.ts";
import type { RunRecord, RunStatus, StepStatus } from "../store/index.ts";
import { type Span, type Tone, toned } from "./terminal.ts";

const statuses: { readonly [status in RunStatus]: readonly [sign: string, words: string, tone: Tone] } = {
  queued: ["○", "queued", "faint"],
  running: ["▸", "running", "busy"],
  waiting: ["◔", "waiting", "busy"],
  succeeded: ["✓", "succeeded", "good"],
  failed: ["✗", "failed", "bad"],
  cancelled: ["–", "cancelled", "faint"],
  in_doubt: ["?", "in doubt", "notable"],
};

/** The state of a run or step: a sign and a word, so that it can be told without colour. */
export function statusSpan(status: RunStatus | StepStatus): Span {
  const [sign, words, tone] = statuses[status === "reopened" ? "queued" : status];
  return toned(tone, `${sign} ${words}`);
}

/** All states, as they are written on the command line. */
export const runStatuses: readonly string[] = Object.keys(statuses);

export function isRunStatus(text: string): text is RunStatus {
  return Object.hasOwn(statuses, text);
}

/** Whether a run has ended. */
export function hasEnded({ status }: Pick<RunRecord, "status">): boolean {
  return status !== "queued" && status !== "running" && status !== "waiting";
}

/** What is known about an effect, in words. */
export const receiptWords: { readonly [state in ReceiptState]: string } = {
  intent: "not confirmed yet",
  done: "done",
  not_done: "not done",
  unknown: "unknown: it was sent, and no answer settled it",
};

/** What a step waits for, in words. */
export const waitWords: { readonly [reason in WaitReason]: string } = {
  limit: "room in a limit",
  budget: "money in a budget",
  batch: "the answer of a batch",
  circuit: "a provider that works again",
  person: "a person",
};

/** What a person said about an effect, in words. */
export const rulingWords: { readonly [word in RulingWord]: string } = {
  done: "it was done",
  not_done: "it was not done, and is not to be",
  try_again: "it was not done; try it again",
};

/** What sets a run apart: SIMULATED answers, a sample, repeats. */
export function runMarks({ simulated, sample, duplicates, resumes, recoveries }: RunRecord): Span[] {
  const marks = [
    ...(simulated ? [toned("notable", "SIMULATED")] : []),
    ...(sample ? ["sample"] : []),
    ...(duplicates > 0 ? [`${times(duplicates, "repeat")} suppressed`] : []),
    ...(resumes > 0 ? [`resumed ${times(resumes, "time")}`] : []),
    ...(recoveries > 0 ? [`taken over ${times(recoveries, "time")}`] : []),
  ];
  return marks.flatMap((mark, at) => (at === 0 ? [mark] : [", ", mark]));
}

/** A count with its noun: `1 step`, `3 steps`. */
export function times(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A step by its number as people count and its name: `step 3, analyse`. */
export function stepWords({ path, name }: { readonly path: string; readonly name: string }): string {
  return `step ${formatStepPath(path)}, ${name}`;
}
