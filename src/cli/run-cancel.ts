import { SluiceError } from "../core/index.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { findRun } from "./run-lookup.ts";

/** `sluice runs cancel`: stops an unfinished run before its next step. @throws RUN_UNKNOWN, RUN_NOT_CANCELLABLE */
export async function cancelRun(context: CommandContext, runId: string, options: CommonOptions): Promise<void> {
  await withData(context, options, async ({ workspace }) => {
    const run = await findRun(workspace, runId);
    const outcome = { status: "cancelled", output: null, error: null, failedStep: null, fingerprint: null } as const;
    const { parentRunId } = run;
    if (await workspace.runs.finish(runId, outcome, { epoch: null, parentRunId })) return;
    const { status } = await findRun(workspace, run.id);
    throw new SluiceError("RUN_NOT_CANCELLABLE", {
      message: `run "${runId}" is ${status}; it has ended`,
      hint: "Only queued, running and waiting runs can be cancelled.",
    });
  });
  if (options.json) context.terminal.printJson({ runId, status: "cancelled" });
  else context.terminal.print(`Cancelled ${runId}. A step that is under way ends; none is begun after it.`);
}
