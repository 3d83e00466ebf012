import { type EffectRuling, isRecord, type Json, type Receipt, rootOf, SluiceError } from "../core/index.ts";
import { receiptsInForce } from "./done-again.ts";
import type { RunRecord } from "./runs.ts";
import { contentErased } from "./sealed.ts";
import type { Workspace } from "./store.ts";

/*
 * What people decide about runs, in terms of their rows. Whoever executes a run finds out by itself; a process that decides
 * tells others to look at once.
 */

/** The run of an id. @throws RUN_UNKNOWN */
export async function findRun(workspace: Workspace, runId: string): Promise<RunRecord> {
  const run = await workspace.runs.find(runId);
  if (run) return run;
  throw new SluiceError("RUN_UNKNOWN", {
    message: `run "${runId}" does not exist`,
    hint: "List the runs with: sluice runs",
  });
}

/** Whether a run has ended otherwise than well, so that it can be resumed. */
export function isResumable({ status }: Pick<RunRecord, "status">): boolean {
  return status === "failed" || status === "cancelled" || status === "in_doubt";
}

/** The error of a run that cannot be resumed. */
export function notResumable({ id, status }: RunRecord): SluiceError {
  return new SluiceError("RUN_NOT_RESUMABLE", {
    message: `run "${id}" is ${status}; only failed, cancelled and in-doubt runs can be resumed`,
    hint: status === "succeeded" ? "Send the event again to run the flow anew." : "Wait for it to end, or cancel it.",
  });
}

/**
 * Queues an ended run to go on: what succeeded before the failed step is kept.
 *
 * @throws RUN_UNKNOWN; RUN_NOT_RESUMABLE when it has not failed, been cancelled or come into doubt; CONTENT_ERASED.
 */
export async function resumeRun(workspace: Workspace, runId: string): Promise<void> {
  await refuseErased(workspace, runId);
  if (!(await workspace.runs.reopen(runId))) throw notResumable(await findRun(workspace, runId));
}

/** A run whose content was erased has nothing to go on with, and would only fail. */
async function refuseErased({ events }: Workspace, runId: string): Promise<void> {
  if ((await events.ofRun(runId))?.erased) throw contentErased(runId);
}

/** The recorded step that a changed flow does not make any more. */
export interface UnfitStep {
  readonly path: string;
  /** Name under which it is recorded. */
  readonly name: string;
  /** Digest of the code that the run was executed with. */
  readonly recordedVersion: string | null;
}

/** The first step that does not fit, when that is why a run failed; null otherwise. */
export function unfitStepOf({ status, error }: Pick<RunRecord, "status" | "error">): UnfitStep | null {
  if (status !== "failed" || !isRecord(error) || error["code"] !== "FLOW_CHANGED") return null;
  const details = isRecord(error["details"]) ? error["details"] : {};
  const { step, recorded, recordedVersion } = details;
  if (typeof step !== "string" || typeof recorded !== "string") return null;
  return { path: step, name: recorded, recordedVersion: typeof recordedVersion === "string" ? recordedVersion : null };
}

/** Receipts of effects that were done, or may have been, and that a migration from a step on would do anew with other keys. */
export function receiptsDoneAnew<Summary extends Pick<Receipt, "key" | "stepPath" | "state">>(
  run: Pick<RunRecord, "id" | "cuts">,
  unfit: UnfitStep,
  receipts: readonly Summary[],
): readonly Summary[] {
  const from = rootOf(unfit.path);
  return receiptsInForce(run, receipts).filter(
    ({ stepPath, state }) => rootOf(stepPath) >= from && state !== "not_done",
  );
}

/**
 * Queues a run that failed because its flow was changed: what is recorded before the step that does not fit is kept, and
 * everything from it on is done anew, effects too.
 *
 * @throws RUN_UNKNOWN; RUN_NOT_MIGRATABLE when it did not fail with FLOW_CHANGED; CONTENT_ERASED.
 */
export async function migrateRun(workspace: Workspace, runId: string): Promise<void> {
  const run = await findRun(workspace, runId);
  await refuseErased(workspace, runId);
  const unfit = unfitStepOf(run);
  if (!unfit || !(await workspace.runs.reopen(runId, rootOf(unfit.path)))) throw notMigratable(run);
}

/** The error of a run that cannot be migrated. */
export function notMigratable({ id, status }: RunRecord): SluiceError {
  return new SluiceError("RUN_NOT_MIGRATABLE", {
    message: `run "${id}" is ${status}; only runs that failed with FLOW_CHANGED can be migrated`,
    hint: "A waiting run shows whether it still fits when it goes on, or with: sluice runs migrate --flow NAME --recheck",
  });
}

/** What a person says about an effect in doubt. */
export interface EffectWord extends Omit<EffectRuling, "at"> {
  /** Idempotency key of the effect. */
  readonly key: string;
  /** What the step is to give when the effect was done. Default: null. */
  readonly output?: Json;
}

const isOpen = ({ state }: Receipt): boolean => state === "intent" || state === "unknown";

/**
 * The effect that a person has to decide about before a run can go on: the one in doubt at the step that failed it, with
 * several the first. Also of a failed run, when it cannot be taken back, as in a map of which other items failed too. Null
 * when there is none.
 */
export function questionOf(run: RunRecord, receipts: readonly Receipt[]): Receipt | null {
  if (run.status !== "in_doubt" && run.status !== "failed") return null;
  const asks = (receipt: Receipt): boolean =>
    isOpen(receipt) && (run.status === "in_doubt" || receipt.effect === "irreversible");
  const details = isRecord(run.error) && isRecord(run.error["details"]) ? run.error["details"] : {};
  const inForce = receiptsInForce(run, receipts);
  const named = inForce.find(({ key }) => key === details["key"]);
  if (named && asks(named)) return named;
  const root = run.failedStep === null ? null : rootOf(run.failedStep);
  return inForce.find((receipt) => asks(receipt) && (root === null || rootOf(receipt.stepPath) === root)) ?? null;
}

/**
 * Records a person's word about an effect in doubt, and queues its run to go on. A word that failed the run may be corrected.
 *
 * @throws RUN_UNKNOWN; EFFECT_UNKNOWN; EFFECT_NOT_IN_DOUBT when it is not, or another person was first.
 */
export async function ruleEffect(workspace: Workspace, runId: string, ruling: EffectWord): Promise<void> {
  const { key, word, by, output = null } = ruling;
  const run = await findRun(workspace, runId);
  const receipt = await workspace.effects.find(key);
  if (receipt?.runId !== runId) {
    throw new SluiceError("EFFECT_UNKNOWN", {
      message: `run "${runId}" has no effect with the key "${key}"`,
      hint: "Look at its effects with: sluice runs show",
    });
  }
  if (await workspace.effects.rule(runId, key, { word, by, at: new Date().toISOString() }, output)) return;
  throw new SluiceError("EFFECT_NOT_IN_DOUBT", {
    message: `effect "${key}" is ${receipt.state} and its run ${run.status}`,
    hint: "There is nothing to decide; somebody may have decided already.",
  });
}

/**
 * Ends an unfinished run before its next step, and its sub-flows after it: a run that waits for one must not go on with
 * that one's end.
 *
 * @param onCancelled told each run that was cancelled, at once.
 * @throws RUN_UNKNOWN; RUN_NOT_CANCELLABLE when it has ended.
 */
export async function cancelRun(
  workspace: Workspace,
  runId: string,
  onCancelled: (runId: string) => Promise<void> | void = () => {},
): Promise<void> {
  const { runs } = workspace;
  const { parentRunId } = await findRun(workspace, runId);
  const outcome = { status: "cancelled", output: null, error: null, failedStep: null, fingerprint: null } as const;
  if (!(await runs.finish(runId, outcome, { epoch: null, parentRunId }))) {
    const { status } = await findRun(workspace, runId);
    throw new SluiceError("RUN_NOT_CANCELLABLE", {
      message: `run "${runId}" is ${status}; it has ended`,
      hint: "Only queued, running and waiting runs can be cancelled.",
    });
  }
  await onCancelled(runId);
  for (const child of await runs.unfinishedChildren(runId)) {
    await cancelRun(workspace, child, onCancelled).catch((error: unknown) => {
      // It ended meanwhile by itself.
      if (!(error instanceof SluiceError && error.code === "RUN_NOT_CANCELLABLE")) throw error;
    });
  }
}
