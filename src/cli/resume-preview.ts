import type { Receipt } from "../core/index.ts";
import { receiptsDoneAgain, type RunRecord, type StepRecord } from "../store/index.ts";

/** What resuming a run does to the effects that it had. */
export interface ResumePreview {
  /** The step that is done again; null when the run goes on after the steps that it finished. */
  readonly from: StepRecord | null;
  /** Known to be done: not repeated. */
  readonly kept: readonly Receipt[];
  /** Known not to be done: tried. */
  readonly tried: readonly Receipt[];
  /** Perhaps done: would be sent again, with the same idempotency key. */
  readonly repeated: readonly Receipt[];
}

const isEffect = ({ effect }: Receipt): boolean => effect !== "read";

/**
 * Tells what resuming a run would do outside: steps before the failed one are kept with their effects; from there on an
 * effect that is known to be done is given back from its receipt, and any other is sent.
 */
export function toResumePreview(
  run: RunRecord,
  steps: readonly StepRecord[],
  receipts: readonly Receipt[],
): ResumePreview {
  const open = receiptsDoneAgain(run, steps, receipts).filter(
    (receipt) => isEffect(receipt) && receipt.state !== "done",
  );
  return {
    from: steps.find(({ path }) => path === run.failedStep) ?? null,
    kept: receipts.filter((receipt) => isEffect(receipt) && receipt.state === "done"),
    tried: open.filter(({ state }) => state === "not_done"),
    repeated: open.filter(({ state }) => state !== "not_done"),
  };
}
