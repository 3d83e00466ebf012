import { cancelRun as cancel, findRun } from "../store/index.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { times } from "./run-words.ts";

/**
 * `sluice runs cancel`: stops an unfinished run before its next step, and its sub-flows.
 *
 * @throws RUN_UNKNOWN, RUN_NOT_CANCELLABLE
 */
export async function cancelRun(context: CommandContext, runId: string, options: CommonOptions): Promise<void> {
  const { terminal } = context;
  const subflows: string[] = [];
  await withData(context, options, async ({ store, workspace }) => {
    await cancel(workspace, runId, (id) => {
      if (id !== runId) subflows.push(id);
    });
    // A run that waited for this one goes on.
    await store.processes.wakeAll((await findRun(workspace, runId)).sandbox);
  });
  if (options.json) return terminal.printJson({ runId, status: "cancelled", subflows });
  const also = subflows.length > 0 ? ` and ${times(subflows.length, "sub-flow")} of it` : "";
  terminal.print(`Cancelled ${runId}${also}. A step that is under way ends; none is begun after it.`);
}
