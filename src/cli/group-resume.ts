import { SluiceError } from "../core/index.ts";
import { type GroupPreview, previewGroup } from "../store/index.ts";
import { type ConsentOptions, isWanted } from "./consent.ts";
import { exitCodes } from "./failure.ts";
import { withData } from "./open-data.ts";
import type { CommandContext } from "./project.ts";
import { toFates } from "./resume-preview.ts";
import { resumeConsent, tellFates, tellWhoGoesOn } from "./run-resume.ts";
import { readError } from "./run-timeline.ts";
import { times } from "./run-words.ts";
import { type Terminal, toned } from "./terminal.ts";

/** Most runs that one call resumes. */
const mostResumed = 10_000;

/**
 * `sluice runs resume --group FINGERPRINT`: tells which effects of failures of one kind would repeat, asks, and queues all
 * of them to go on, each from the step that failed.
 *
 * @returns the exit code: 1 when the person said no.
 * @throws NOT_FOUND when there are none; UsageError when effects may repeat, nobody can be asked and `--yes` is not given.
 */
export async function resumeGroup(
  context: CommandContext,
  fingerprint: string,
  options: ConsentOptions,
): Promise<number> {
  const { terminal } = context;
  return withData(context, options, async ({ store, workspace }) => {
    const preview = await previewGroup(workspace, fingerprint);
    if (!preview) throw noFailures(fingerprint);
    const fates = toFates(preview.receipts);
    if (!options.json) {
      tellGroup(terminal, preview);
      if (tellFates(terminal, fates) === 0)
        terminal.tell("No effect on another system would be done again, so nothing can be doubled.");
    }
    const question = `Resume ${preview.group.count === 1 ? "it" : `all ${preview.group.count}`}?`;
    if (!(await isWanted(context, options, resumeConsent(question, fates)))) {
      terminal.tell("Not resumed.");
      return exitCodes.error;
    }
    const resumed = await workspace.runs.reopenGroup(fingerprint, null, mostResumed);
    const skipped = Math.max(0, Math.min(preview.group.count, mostResumed) - resumed);
    if (options.json) terminal.printJson({ fingerprint, resumed, skipped });
    else terminal.print(`Resumed ${times(resumed, "run")}. See how they do with: sluice runs failures`);
    if (!options.json && skipped > 0) terminal.tell(`Somebody else resumed ${times(skipped, "run")} meanwhile.`);
    if (!options.json && preview.group.count > mostResumed)
      terminal.tell(`There are more: a call resumes at most ${mostResumed}. Call it again for the rest.`);
    await tellWhoGoesOn(terminal, store, options);
    return exitCodes.ok;
  });
}

function tellGroup(terminal: Terminal, { group, runs }: GroupPreview): void {
  const { code, message } = readError(group.error);
  const where = group.step === null ? "in the flow's own code" : `at ${group.step}`;
  terminal.tell(toned("strong", `${times(group.count, "run")} of ${group.flow}`), ` failed ${where}:`);
  terminal.tell(toned("bad", code), `: ${message}`);
  if (group.count > runs.length) terminal.tell(`These are the effects of the newest ${runs.length}:`);
}

function noFailures(fingerprint: string): SluiceError {
  return new SluiceError("NOT_FOUND", {
    message: `there are no failures of the kind "${fingerprint}"`,
    hint: "They may have been resumed. List the kinds that there are with: sluice runs failures",
  });
}
