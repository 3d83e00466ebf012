import { SluiceError } from "../core/index.ts";
import type { RunRecord, Workspace } from "../store/index.ts";

/** The run of an id. @throws RUN_UNKNOWN */
export async function findRun(workspace: Workspace, runId: string): Promise<RunRecord> {
  const run = await workspace.runs.find(runId);
  if (run) return run;
  throw new SluiceError("RUN_UNKNOWN", {
    message: `run "${runId}" does not exist`,
    hint: "List the runs with: sluice runs",
  });
}
