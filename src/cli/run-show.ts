import { findRun, maxPageSize } from "../store/index.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { printTimeline, type RunParts } from "./run-timeline.ts";

/** `sluice runs show`: everything that is recorded of one run. @throws RUN_UNKNOWN */
export async function showRun(context: CommandContext, runId: string, options: CommonOptions): Promise<void> {
  const parts = await withData(context, options, async ({ workspace }): Promise<RunParts> => {
    const run = await findRun(workspace, runId);
    const [event, steps, aiCalls, receipts, subflows] = await Promise.all([
      workspace.events.ofRun(runId),
      workspace.steps.ofRun(runId),
      workspace.aiCalls.ofRun(runId),
      workspace.effects.ofRun(runId),
      workspace.runs.list({ parent: runId, limit: maxPageSize }),
    ]);
    return { run, event, steps, aiCalls, receipts, subflows: subflows.items };
  });
  if (options.json) context.terminal.printJson(parts);
  else printTimeline(context.terminal, parts);
}
