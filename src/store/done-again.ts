import { keyOfStep, type Receipt, rootOf } from "../core/index.ts";
import type { RunRecord } from "./runs.ts";
import type { StepRecord } from "./steps.ts";

/** Receipts of the calls that a run still makes: those from before a migration have other keys, and are not looked at again. */
export function receiptsInForce<Summary extends Pick<Receipt, "key" | "stepPath">>(
  { id, cuts }: Pick<RunRecord, "id" | "cuts">,
  receipts: readonly Summary[],
): readonly Summary[] {
  return receipts.filter(({ key, stepPath }) => key === keyOfStep(id, stepPath, cuts));
}

/**
 * Receipts of the steps that resuming a run would do again: from the failed step on, or, without one, of what was under
 * way when the run was cancelled. Of these, an effect that is `done` is given back from its receipt; any other is sent.
 */
export function receiptsDoneAgain<Summary extends Pick<Receipt, "key" | "stepPath">>(
  run: Pick<RunRecord, "id" | "cuts" | "failedStep">,
  steps: readonly Pick<StepRecord, "path" | "status">[],
  receipts: readonly Summary[],
): readonly Summary[] {
  // A step that failed inside a map is done again; what succeeded beside it is not.
  const kept = new Set(steps.filter(({ status }) => status === "succeeded").map(({ path }) => path));
  const from = run.failedStep === null ? 0 : rootOf(run.failedStep);
  return receiptsInForce(run, receipts).filter(({ stepPath }) => {
    const root = rootOf(stepPath);
    return root > from ? run.failedStep !== null || !kept.has(stepPath) : root === from && !kept.has(stepPath);
  });
}

/**
 * Whether an effect of {@link receiptsDoneAgain} may have happened and would be sent again, with the same key. One that
 * cannot be taken back is not: the run asks a person again.
 */
export function wouldRepeat({ effect, state }: Pick<Receipt, "effect" | "state">): boolean {
  return effect === "write" && (state === "intent" || state === "unknown");
}
