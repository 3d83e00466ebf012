import type { Receipt } from "../core/index.ts";
import {
  receiptsDoneAgain,
  receiptsInForce,
  type ReceiptSummary,
  type RunRecord,
  type StepRecord,
  wouldRepeat,
} from "../store/index.ts";

/** What resuming does to effects. */
export interface EffectsByFate {
  /** Known to be done: not repeated. */
  readonly kept: readonly ReceiptSummary[];
  /** Known not to be done: tried. */
  readonly tried: readonly ReceiptSummary[];
  /** Perhaps done: would be sent again, with the same idempotency key. */
  readonly repeated: readonly ReceiptSummary[];
  /** Perhaps done, and cannot be taken back: a person is asked again before it is repeated. */
  readonly asked: readonly ReceiptSummary[];
}

/** What resuming a run does to the effects that it had. */
export interface ResumePreview extends EffectsByFate {
  /** The step that is done again; null when the run goes on after the steps that it finished. */
  readonly from: StepRecord | null;
}

const isEffect = ({ effect }: Pick<Receipt, "effect">): boolean => effect !== "read";

/**
 * Tells what resuming a run would do outside: steps before the failed one are kept with their effects; from there on an
 * effect that is known to be done is given back from its receipt, and any other is sent.
 */
export function toResumePreview(
  run: RunRecord,
  steps: readonly StepRecord[],
  receipts: readonly Receipt[],
): ResumePreview {
  const fates = toFates(receiptsDoneAgain(run, steps, receipts));
  return {
    ...fates,
    from: steps.find(({ path }) => path === run.failedStep) ?? null,
    kept: receiptsInForce(run, receipts).filter((receipt) => isEffect(receipt) && receipt.state === "done"),
  };
}

/** Divides effects that would be done again by what would become of them. */
export function toFates(receipts: readonly ReceiptSummary[]): EffectsByFate {
  const effects = receipts.filter(isEffect);
  const open = effects.filter(({ state }) => state === "intent" || state === "unknown");
  return {
    kept: effects.filter(({ state }) => state === "done"),
    tried: effects.filter(({ state }) => state === "not_done"),
    repeated: open.filter(wouldRepeat),
    asked: open.filter((receipt) => !wouldRepeat(receipt)),
  };
}
