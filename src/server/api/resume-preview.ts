import type { Receipt } from "../../core/index.ts";
import { receiptsDoneAgain, type RunRecord, type StepRecord } from "../../store/index.ts";
import type { ResumePreview } from "./schemas.ts";

/** Tells what resuming a run would do outside; see {@link receiptsDoneAgain}. */
export function toResumePreview(
  run: RunRecord,
  steps: readonly StepRecord[],
  receipts: readonly Receipt[],
): ResumePreview {
  const possible = run.status === "failed" || run.status === "cancelled" || run.status === "in_doubt";
  return {
    possible,
    fromStep: possible ? run.failedStep : null,
    effects: (possible ? receiptsDoneAgain(run, steps, receipts) : []).map(({ action, key, state }) => ({
      action,
      key,
      state,
      wouldRepeat: state !== "done",
    })),
  };
}
