import type { Receipt } from "../../core/index.ts";
import type { RunRecord, StepRecord } from "../../store/index.ts";
import type { ResumePreview } from "./schemas.ts";

/**
 * Tells what resuming a run would do outside.
 *
 * Steps before the failed one are kept with their effects. From there on everything is done again: an effect that is known
 * to be done is given back from its receipt, any other may be repeated. A run without a failed step keeps all the steps it
 * finished; what it was doing when it was cancelled is done again.
 */
export function toResumePreview(
  run: RunRecord,
  steps: readonly StepRecord[],
  receipts: readonly Receipt[],
): ResumePreview {
  const possible = run.status === "failed" || run.status === "cancelled" || run.status === "in_doubt";
  const finished = new Set(
    steps.filter(({ status }) => status === "succeeded" || status === "failed").map(({ sequence }) => sequence),
  );
  const isDoneAgain = (sequence: number): boolean =>
    run.failedStep === null ? !finished.has(sequence) : sequence >= run.failedStep;
  return {
    possible,
    fromStep: possible ? run.failedStep : null,
    effects: receipts
      .filter(({ stepSequence }) => possible && isDoneAgain(stepSequence))
      .map(({ action, key, state }) => ({ action, key, state, wouldRepeat: state !== "done" })),
  };
}
