import type { Receipt } from "../core/index.ts";
import type { RunRecord } from "./runs.ts";
import type { StepRecord } from "./steps.ts";

/**
 * Receipts of the steps that resuming a run would do again: from the failed step on, or, without one, of what was under
 * way when the run was cancelled. Of these, an effect that is `done` is given back from its receipt; any other is sent.
 */
export function receiptsDoneAgain(
  run: RunRecord,
  steps: readonly StepRecord[],
  receipts: readonly Receipt[],
): readonly Receipt[] {
  const finished = new Set(steps.filter(({ finishedAt }) => finishedAt !== null).map(({ sequence }) => sequence));
  return receipts.filter(({ stepSequence }) =>
    run.failedStep === null ? !finished.has(stepSequence) : stepSequence >= run.failedStep,
  );
}
