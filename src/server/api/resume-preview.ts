import type { Receipt } from "../../core/index.ts";
import {
  isResumable,
  type ReceiptSummary,
  receiptsDoneAgain,
  receiptsDoneAnew,
  type RunRecord,
  type StepRecord,
  unfitStepOf,
  wouldRepeat,
} from "../../store/index.ts";
import type { MigrationPreview, ResumePreview } from "./schemas.ts";

/** Tells what resuming a run would do outside; see {@link receiptsDoneAgain}. */
export function toResumePreview(
  run: RunRecord,
  steps: readonly StepRecord[],
  receipts: readonly Receipt[],
): ResumePreview {
  const possible = isResumable(run);
  return {
    possible,
    fromStep: possible ? run.failedStep : null,
    effects: possible ? receiptsDoneAgain(run, steps, receipts).map(toEffectInPreview) : [],
  };
}

/** Tells what resuming does with an effect. */
export function toEffectInPreview(receipt: ReceiptSummary): ResumePreview["effects"][number] {
  const { action, key, effect, state } = receipt;
  return { action, key, effect, state, wouldRepeat: wouldRepeat(receipt) };
}

/**
 * Tells what letting a run go on under the present code of its flow would do.
 *
 * @param version digest of the flow's present code; null when the flow is gone.
 * @returns null unless the run failed with FLOW_CHANGED.
 */
export function toMigrationPreview(
  run: RunRecord,
  receipts: readonly Receipt[],
  version: string | null,
): MigrationPreview | null {
  const unfit = unfitStepOf(run);
  if (!unfit) return null;
  const { path, name, recordedVersion } = unfit;
  return {
    possible: version !== null,
    step: { path, name },
    version,
    recordedVersion,
    effects: receiptsDoneAnew(run, unfit, receipts).map(({ action, key, state }) => ({ action, key, state })),
  };
}
