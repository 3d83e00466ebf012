import { formatStepPath, type Receipt, SluiceError } from "../core/index.ts";
import type { RunRecord } from "../store/index.ts";
import { UsageError } from "./failure.ts";
import { type Data, withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { type ResumePreview, toResumePreview } from "./resume-preview.ts";
import { findRun } from "./run-lookup.ts";
import { receiptWords } from "./run-words.ts";
import { formatTable } from "./table.ts";
import { type Terminal, toned } from "./terminal.ts";

/** What `sluice runs resume` takes. */
export interface ResumeOptions extends CommonOptions {
  /** Does not ask. */
  readonly yes?: boolean;
}

/**
 * `sluice runs resume`: tells which effects would repeat, asks, and queues the run to go on.
 *
 * @returns the exit code: 1 when the person said no.
 * @throws RUN_UNKNOWN, RUN_NOT_RESUMABLE; UsageError when effects may repeat, nobody can be asked and `--yes` is not given.
 */
export async function resumeRun(context: CommandContext, runId: string, options: ResumeOptions): Promise<number> {
  const { terminal } = context;
  return withData(context, options, async ({ store, workspace }) => {
    const run = await findRun(workspace, runId);
    if (!["failed", "cancelled", "in_doubt"].includes(run.status)) throw notResumable(run);
    const [steps, receipts] = await Promise.all([workspace.steps.ofRun(runId), workspace.effects.ofRun(runId)]);
    const preview = toResumePreview(run, steps, receipts);
    if (!options.json) tellPreview(terminal, preview);
    if (!(await isWanted(context, preview, options))) {
      terminal.tell("Not resumed.");
      return 1;
    }
    if (!(await workspace.runs.reopen(runId))) throw notResumable(await findRun(workspace, runId));
    await tellResumed(terminal, store, runId, options);
    return 0;
  });
}

async function isWanted(
  { terminal }: CommandContext,
  { repeated }: ResumePreview,
  { yes, json }: ResumeOptions,
): Promise<boolean> {
  if (yes) return true;
  if (terminal.canAsk && !json) return terminal.confirm("Resume it?");
  if (repeated.length === 0) return true;
  throw new UsageError(
    `resuming may repeat ${repeated.map(({ action }) => action).join(", ")}, and nobody can be asked`,
    "Look into the other system first. If a repeat does no harm there, add --yes.",
  );
}

function tellPreview(terminal: Terminal, { from, kept, tried, repeated }: ResumePreview): void {
  terminal.tell(
    from
      ? `It goes on at step ${formatStepPath(from.path)}, ${from.name}. The steps before it are kept as they were recorded.`
      : "The finished steps are kept as they were recorded; the flow's own code runs again and goes on after them.",
  );
  tellEffects(terminal, "Done, and will not be repeated:", kept);
  tellEffects(terminal, "Not done; will be tried:", tried);
  tellEffects(terminal, "May have been done, and would be sent again, with the same idempotency key:", repeated);
  if (kept.length + tried.length + repeated.length === 0)
    terminal.tell("It has had no effect on another system so far, so nothing can be doubled.");
}

function tellEffects(terminal: Terminal, title: string, receipts: readonly Receipt[]): void {
  if (receipts.length === 0) return;
  terminal.tell(toned("strong", title));
  const rows = receipts.map(({ action, connection, state, key }) => [
    action,
    connection,
    toned(state === "done" ? "good" : "notable", receiptWords[state]),
    toned("faint", key),
  ]);
  for (const line of formatTable(rows, { indent: "  " })) terminal.tell(...line);
}

async function tellResumed(
  terminal: Terminal,
  store: Data["store"],
  runId: string,
  { json }: ResumeOptions,
): Promise<void> {
  if (json) return terminal.printJson({ runId, status: "queued" });
  terminal.print(`Resumed ${runId}. See how it stands with: sluice runs show ${runId}`);
  if ((await store.processes.livingKinds()).length === 0)
    terminal.tell("No process executes runs now; it goes on with the next: sluice dev or sluice start");
}

function notResumable({ id, status }: RunRecord): SluiceError {
  return new SluiceError("RUN_NOT_RESUMABLE", {
    message: `run "${id}" is ${status}; only failed, cancelled and in-doubt runs can be resumed`,
    hint: status === "succeeded" ? "Send the event again to run the flow anew." : "Wait for it to end, or cancel it.",
  });
}
