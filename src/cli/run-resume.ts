import { formatStepPath } from "../core/index.ts";
import { findRun, isResumable, notResumable, resumeRun as resume } from "../store/index.ts";
import { type ConsentOptions, isWanted } from "./consent.ts";
import { actionNames, tellEffects } from "./effect-table.ts";
import { exitCodes } from "./failure.ts";
import { type Data, withData } from "./open-data.ts";
import type { CommandContext } from "./project.ts";
import { type EffectsByFate, type ResumePreview, toResumePreview } from "./resume-preview.ts";
import type { Terminal } from "./terminal.ts";

/**
 * `sluice runs resume RUN`: tells which effects would repeat, asks, and queues the run to go on.
 *
 * @returns the exit code: 1 when the person said no.
 * @throws RUN_UNKNOWN, RUN_NOT_RESUMABLE; UsageError when effects may repeat, nobody can be asked and `--yes` is not given.
 */
export async function resumeRun(context: CommandContext, runId: string, options: ConsentOptions): Promise<number> {
  const { terminal } = context;
  return withData(context, options, async ({ store, workspace }) => {
    const run = await findRun(workspace, runId);
    if (!isResumable(run)) throw notResumable(run);
    const [steps, receipts] = await Promise.all([workspace.steps.ofRun(runId), workspace.effects.ofRun(runId)]);
    const preview = toResumePreview(run, steps, receipts);
    if (!options.json) tellPreview(terminal, preview);
    if (preview.asked.length > 0 && !options.json)
      terminal.tell(`It stops there again until you say what happened: sluice runs rule ${runId}`);
    if (!(await isWanted(context, options, resumeConsent("Resume it?", preview)))) {
      terminal.tell("Not resumed.");
      return exitCodes.error;
    }
    await resume(workspace, runId);
    if (options.json) terminal.printJson({ runId, status: "queued" });
    else terminal.print(`Resumed ${runId}. See how it stands with: sluice runs show ${runId}`);
    await tellWhoGoesOn(terminal, store, options);
    return exitCodes.ok;
  });
}

/** What is asked before something is resumed. */
export function resumeConsent(question: string, { repeated }: EffectsByFate) {
  if (repeated.length === 0) return { question, danger: null };
  const message = `resuming may repeat ${actionNames(repeated)}`;
  return {
    question,
    danger: { message, hint: "Look into the other system first. If a repeat does no harm there, add --yes." },
  };
}

function tellPreview(terminal: Terminal, { from, ...fates }: ResumePreview): void {
  terminal.tell(
    from
      ? `It goes on at step ${formatStepPath(from.path)}, ${from.name}. The steps before it are kept as they were recorded.`
      : "The finished steps are kept as they were recorded; the flow's own code runs again and goes on after them.",
  );
  if (tellFates(terminal, fates) === 0)
    terminal.tell("It has had no effect on another system so far, so nothing can be doubled.");
}

/** Tells what would become of effects. Gives how many there are. */
export function tellFates(terminal: Terminal, { kept, tried, repeated, asked }: EffectsByFate): number {
  tellEffects(terminal, "Done, and will not be repeated:", kept);
  tellEffects(terminal, "Not done; will be tried:", tried);
  tellEffects(terminal, "May have been done, and would be sent again, with the same idempotency key:", repeated);
  tellEffects(terminal, "May have been done, and is not repeated before a person says so:", asked);
  return kept.length + tried.length + repeated.length + asked.length;
}

/** Says so when no process is there to go on with what was queued. */
export async function tellWhoGoesOn(terminal: Terminal, store: Data["store"], { json }: ConsentOptions): Promise<void> {
  if (!json && (await store.processes.livingKinds()).length === 0)
    terminal.tell("No process executes runs now; it goes on with the next: sluice dev or sluice start");
}
