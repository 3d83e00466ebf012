import { receiptsDoneAgain } from "./done-again.ts";
import type { ReceiptSummary } from "./effects.ts";
import type { FailureGroup } from "./run-figures.ts";
import type { RunRecord } from "./runs.ts";
import { maxPageSize } from "./scope.ts";
import type { Workspace } from "./store.ts";

/** Most runs of a group that are looked at to tell what resuming them would do. */
const mostLookedAt = 1000;

/** What resuming the failures of one kind would do. */
export interface GroupPreview {
  readonly group: FailureGroup;
  /** Those looked at: the newest 1,000. */
  readonly runs: readonly RunRecord[];
  /** Receipts of these at the steps that would be done again; see {@link receiptsDoneAgain}. */
  readonly receipts: readonly ReceiptSummary[];
}

/** Tells what resuming the failures of one kind would do; null when there are none any more. */
export async function previewGroup(workspace: Workspace, fingerprint: string): Promise<GroupPreview | null> {
  const group = await workspace.runs.failuresOf(fingerprint);
  if (!group) return null;
  const runs = await newestOf(workspace, fingerprint);
  const ids = runs.map(({ id }) => id);
  const [steps, receipts] = await Promise.all([
    workspace.steps.succeededOf(ids).then((rows) => Map.groupBy(rows, ({ runId }) => runId)),
    workspace.effects.ofRuns(ids).then((rows) => Map.groupBy(rows, ({ runId }) => runId)),
  ]);
  return {
    group,
    runs,
    receipts: runs.flatMap((run) => receiptsDoneAgain(run, steps.get(run.id) ?? [], receipts.get(run.id) ?? [])),
  };
}

async function newestOf(workspace: Workspace, fingerprint: string): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  for (let before: string | null | undefined; before !== null && runs.length < mostLookedAt;) {
    const page = await workspace.runs.list({
      fingerprint,
      status: ["failed", "in_doubt"],
      before,
      limit: maxPageSize,
    });
    runs.push(...page.items);
    before = page.next;
  }
  return runs;
}
