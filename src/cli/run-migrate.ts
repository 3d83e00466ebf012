import { SluiceError } from "../core/index.ts";
import {
  findRun,
  migrateRun,
  notMigratable,
  receiptsDoneAnew,
  type ReceiptSummary,
  type RunRecord,
  type UnfitStep,
  unfitStepOf,
  type Workspace,
} from "../store/index.ts";
import { type ConsentOptions, isWanted } from "./consent.ts";
import { actionNames, tellEffects } from "./effect-table.ts";
import { exitCodes, UsageError } from "./failure.ts";
import { withData } from "./open-data.ts";
import type { CommandContext } from "./project.ts";
import { tellWhoGoesOn } from "./run-resume.ts";
import { readError } from "./run-timeline.ts";
import { stepWords, times } from "./run-words.ts";
import { loadProject } from "./serve.ts";
import { type Terminal, toned } from "./terminal.ts";

/** What `sluice runs migrate` takes. */
export interface MigrateOptions extends ConsentOptions {
  readonly flow?: string;
  /** Wakes parked runs that began under other code, instead. */
  readonly recheck?: boolean;
}

/** A run that does not fit its flow any more. */
interface Candidate {
  readonly run: RunRecord;
  readonly unfit: UnfitStep;
  /** Effects that would be done once more. */
  readonly effects: readonly ReceiptSummary[];
}

/** Most runs of one call, and most that are told one by one. */
const mostRuns = 10_000;
const mostTold = 20;

/**
 * `sluice runs migrate`: lets runs go on under the present code of their flow, whose recorded steps do not fit it any more.
 * Tells first from which step, and which effects would be done once more; then asks.
 *
 * @returns the exit code: 1 when the person said no.
 * @throws RUN_UNKNOWN, RUN_NOT_MIGRATABLE; UsageError when effects would be done once more, nobody can be asked and `--yes` is
 * not given.
 */
export async function migrateRuns(
  context: CommandContext,
  runId: string | undefined,
  options: MigrateOptions,
): Promise<number> {
  if (options.recheck) return recheck(context, runId, options);
  if ((runId === undefined) === (options.flow === undefined)) {
    throw new UsageError(
      runId === undefined ? "no run is named" : "a run and a flow were named",
      "Give one of: a run's id, or --flow NAME for all runs of a flow that do not fit it any more.",
    );
  }
  const { terminal } = context;
  return withData(context, options, async ({ store, workspace }) => {
    const candidates =
      runId === undefined ? await findOfFlow(workspace, options.flow ?? "") : [await findOne(workspace, runId)];
    if (candidates.length === 0) return tellNone(terminal, options);
    if (!options.json) tellCandidates(terminal, candidates);
    if (!(await isWanted(context, options, consentTo(candidates)))) {
      terminal.tell("Not migrated.");
      return exitCodes.error;
    }
    const migrated = await migrateAll(workspace, candidates);
    const skipped = candidates.length - migrated.length;
    if (options.json) terminal.printJson({ migrated, skipped });
    else terminal.print(`Migrated ${times(migrated.length, "run")}.`);
    if (!options.json && skipped > 0) terminal.tell(`Somebody else decided about ${times(skipped, "run")} meanwhile.`);
    await tellWhoGoesOn(terminal, store, options);
    return exitCodes.ok;
  });
}

/** @throws RUN_UNKNOWN, RUN_NOT_MIGRATABLE */
async function findOne(workspace: Workspace, runId: string): Promise<Candidate> {
  const run = await findRun(workspace, runId);
  const [candidate] = await toCandidates(workspace, [run]);
  if (!candidate) throw notMigratable(run);
  return candidate;
}

async function findOfFlow(workspace: Workspace, flow: string): Promise<Candidate[]> {
  const groups = await workspace.runs.failures(mostRuns);
  const changed = groups.filter((group) => group.flow === flow && readError(group.error).code === "FLOW_CHANGED");
  const candidates: Candidate[] = [];
  for (const { fingerprint } of changed) {
    for (let before: string | null | undefined; before !== null && candidates.length < mostRuns;) {
      const page = await workspace.runs.list({ fingerprint, status: ["failed"], before, limit: 200 });
      candidates.push(...(await toCandidates(workspace, page.items)));
      before = page.next;
    }
  }
  return candidates;
}

async function toCandidates(workspace: Workspace, runs: readonly RunRecord[]): Promise<Candidate[]> {
  const receipts = Map.groupBy(await workspace.effects.ofRuns(runs.map(({ id }) => id)), ({ runId }) => runId);
  return runs.flatMap((run) => {
    const unfit = unfitStepOf(run);
    return unfit ? [{ run, unfit, effects: receiptsDoneAnew(run, unfit, receipts.get(run.id) ?? []) }] : [];
  });
}

function tellCandidates(terminal: Terminal, candidates: readonly Candidate[]): void {
  for (const { run, unfit, effects } of candidates.slice(0, mostTold)) {
    terminal.tell(toned("strong", run.id), ` of ${run.flow}: ${readError(run.error).message}`);
    terminal.tell(`  What is recorded before ${stepWords(unfit)} is kept; from it on all is done anew.`);
    tellEffects(terminal, "  Done, or perhaps done, and would be done once more:", effects);
  }
  if (candidates.length > mostTold) terminal.tell(toned("faint", `and ${candidates.length - mostTold} more runs`));
}

function tellNone(terminal: Terminal, { flow, json }: MigrateOptions): number {
  if (json) terminal.printJson({ migrated: [], skipped: 0 });
  else {
    terminal.tell(`No run of ${flow} failed because the flow was changed.`);
    terminal.tell(`Those that wait show it when they go on, or with: sluice runs migrate --flow ${flow} --recheck`);
  }
  return exitCodes.ok;
}

function consentTo(candidates: readonly Candidate[]) {
  const question = candidates.length === 1 ? "Migrate it?" : `Migrate all ${candidates.length}?`;
  const effects = candidates.flatMap((candidate) => candidate.effects);
  if (effects.length === 0) return { question, danger: null };
  const message = `migrating does ${actionNames(effects)} once more`;
  return { question, danger: { message, hint: "If a repeat does no harm in the other system, add --yes." } };
}

async function migrateAll(workspace: Workspace, candidates: readonly Candidate[]): Promise<string[]> {
  const migrated: string[] = [];
  for (const { run } of candidates) {
    try {
      await migrateRun(workspace, run.id);
      migrated.push(run.id);
    } catch (error) {
      // Somebody else decided about it meanwhile.
      if (!(error instanceof SluiceError && error.code === "RUN_NOT_MIGRATABLE")) throw error;
    }
  }
  return migrated;
}

async function recheck(context: CommandContext, runId: string | undefined, options: MigrateOptions): Promise<number> {
  if (runId !== undefined) {
    throw new UsageError("--recheck is for all waiting runs of a flow", "Give --flow NAME instead of a run.");
  }
  const { config } = await loadProject(context, options);
  const flows = config.flows.filter(({ name }) => options.flow === undefined || name === options.flow);
  if (flows.length === 0) {
    throw new SluiceError("FLOW_UNKNOWN", {
      message: `there is no flow "${options.flow ?? ""}"`,
      hint: `The configuration has: ${config.flows.map(({ name }) => name).join(", ") || "no flows"}`,
    });
  }
  const { terminal } = context;
  return withData(context, options, async ({ store, workspace }) => {
    let woken = 0;
    for (const { name, version } of flows) woken += await workspace.runs.recheck(name, version);
    for (const forSandbox of [true, false]) await store.processes.wakeAll(forSandbox);
    if (options.json) terminal.printJson({ woken });
    else terminal.print(`Woke ${times(woken, "waiting run")} that began under other code.`);
    if (woken > 0 && !options.json) terminal.tell("Those that do not fit fail with FLOW_CHANGED: sluice runs failures");
    return exitCodes.ok;
  });
}
