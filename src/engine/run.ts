import {
  type Ai,
  type AnyFlow,
  type FlowContext,
  isRecord,
  type Json,
  type Log,
  parseSchema,
  type RunScope,
  type ServiceKey,
  SluiceError,
  toJson,
  toSluiceError,
  withRunScope,
} from "../core/index.ts";
import type { BegunRun, RunOutcome, Workspace } from "../store/index.ts";
import { abandon, persist } from "./persist.ts";
import type { ExpectedSignals } from "./signals.ts";
import { runStep, type StepSurroundings } from "./step.ts";
import { sleep, waitForSignal } from "./waits.ts";

/** How often a run is taken over from a dead process before it is set aside: it may be what kills them. */
const maxRecoveries = 3;

/** What the runs of a process share. */
export interface RunHost {
  readonly executor: string;
  readonly flows: ReadonlyMap<string, AnyFlow>;
  /** Digest of each flow's code, by name. */
  readonly versions: { readonly [flow: string]: string };
  readonly services: ReadonlyMap<string, unknown>;
  readonly ai: Ai;
  readonly signals: ExpectedSignals;
  readonly log: Log;
  readonly closing: AbortSignal;
  /** Told when a run has ended here. */
  readonly onEnded: (runId: string) => void;
}

/** What the waits of a run need besides what its steps need. */
export interface RunSurroundings extends StepSurroundings {
  readonly signals: ExpectedSignals;
  /** Shows the run as waiting while `wait` is pending. */
  readonly showWaiting: <T>(wait: () => Promise<T>) => Promise<T>;
}

/**
 * The durable function of every run: executes the flow on its payload and writes how it ended. Its outcome is in our
 * row alone; beneath, it always succeeds, unless the run was cancelled or taken over.
 */
export async function executeRun(host: RunHost, workspace: Workspace, runId: string): Promise<void> {
  const begun = await persist(() => workspace.runs.begin(runId, host.executor, host.versions), host.closing);
  if (!begun) return;
  const failures = new WeakMap<SluiceError, number>();
  const outcome = await outcomeOf(host, workspace, runId, begun, failures);
  const fence = { executor: host.executor, resumes: begun.resumes };
  const written = await persist(() => workspace.runs.finish(runId, outcome, fence), host.closing);
  if (!written) return;
  const fields = { run: runId, flow: begun.flow, code: codeOf(outcome.error) };
  if (outcome.status === "succeeded") host.log.info("run.succeeded", { run: runId, flow: begun.flow });
  else host.log.warn(`run.${outcome.status}`, fields);
  host.onEnded(runId);
}

async function outcomeOf(
  host: RunHost,
  workspace: Workspace,
  runId: string,
  begun: BegunRun,
  failures: WeakMap<SluiceError, number>,
): Promise<RunOutcome> {
  try {
    const output = await executeFlow(host, workspace, runId, begun, failures);
    return { status: "succeeded", output: toJson(output), error: null, failedStep: null };
  } catch (thrown) {
    if (host.closing.aborted) return abandon();
    if (isEngineControl(thrown)) throw thrown;
    const error = toRunError(thrown);
    const status = error.code === "EFFECT_IN_DOUBT" ? "in_doubt" : "failed";
    const failedStep = (thrown instanceof SluiceError ? failures.get(thrown) : undefined) ?? null;
    return { status, output: null, error: toJson(error.toJSON()), failedStep };
  }
}

async function executeFlow(
  host: RunHost,
  workspace: Workspace,
  runId: string,
  begun: BegunRun,
  failures: WeakMap<SluiceError, number>,
): Promise<unknown> {
  const flow = host.flows.get(begun.flow);
  if (!flow) {
    throw new SluiceError("FLOW_UNKNOWN", {
      message: `flow "${begun.flow}" is not part of this application any more`,
      hint: "Put the flow back and resume the run, or cancel it.",
    });
  }
  if (begun.recoveries > maxRecoveries) {
    throw new SluiceError("RUN_SET_ASIDE", {
      message: `the process that ran it died ${begun.recoveries} times`,
      hint: "Look for what this run does that ends the process (memory, exit), then resume it.",
    });
  }
  const payload = await parseSchema(flow.trigger.payload, begun.payload, {
    code: "PAYLOAD_INVALID",
    what: `the event of flow ${flow.name}`,
  });
  const run = createSurroundings(host, workspace, runId, begun, failures);
  const scope = createScope(host, workspace, runId, begun, run);
  return withRunScope(scope, () => flow.run(payload as never, createContext(host, scope, run)));
}

function createSurroundings(
  host: RunHost,
  workspace: Workspace,
  runId: string,
  begun: BegunRun,
  failures: WeakMap<SluiceError, number>,
): RunSurroundings {
  let waits = 0;
  const fence = { executor: host.executor, resumes: begun.resumes };
  const show = (status: "running" | "waiting"): Promise<boolean> =>
    persist(() => workspace.runs.setStatus(runId, status, fence), host.closing);
  return {
    workspace,
    runId,
    replayed: begun.recoveries > 0 || begun.resumes > 0,
    closing: host.closing,
    signals: host.signals,
    onFailure: (error, sequence) => failures.set(error, sequence),
    async showWaiting(wait) {
      waits += 1;
      if (waits === 1) await show("waiting");
      try {
        return await wait();
      } finally {
        waits -= 1;
        if (waits === 0 && !host.closing.aborted) await show("running");
      }
    },
  };
}

function createScope(
  host: RunHost,
  workspace: Workspace,
  runId: string,
  begun: BegunRun,
  run: RunSurroundings,
): RunScope {
  return {
    workspaceId: workspace.id,
    runId,
    flow: begun.flow,
    availableFields: countLeaves(begun.payload),
    step: (request) => runStep(run, request),
    service<T>(key: ServiceKey<T>): T {
      if (host.services.has(key.name)) return host.services.get(key.name) as T;
      throw new SluiceError("INTERNAL", { message: `no service "${key.name}" in this application` });
    },
  };
}

function createContext(host: RunHost, scope: RunScope, run: RunSurroundings): FlowContext {
  return {
    run: { id: scope.runId, flow: scope.flow },
    ai: host.ai,
    step: (name, work, options) =>
      scope.step({ name, kind: "code", execute: work, ...(options?.retry && { retry: options.retry }) }),
    sleep: (name, duration) => sleep(run, name, duration),
    waitForSignal: (name, options) => waitForSignal(run, name, options),
  };
}

/** Number of fields of a payload that hold a value; an array counts its items. */
function countLeaves(value: Json): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, item: Json) => sum + countLeaves(item), 0);
}

/** Errors by which the engine beneath ends an execution: cancelled, or no longer its owner. They are no outcome of the flow. */
function isEngineControl(thrown: unknown): boolean {
  const controls = ["DBOSWorkflowCancelledError", "DBOSWorkflowConflictError"];
  return thrown instanceof Error && controls.includes(thrown.constructor.name);
}

function toRunError(thrown: unknown): SluiceError {
  if (thrown instanceof Error && thrown.constructor.name === "DBOSUnexpectedStepError") {
    return new SluiceError("FLOW_CHANGED", {
      message: "the flow now makes other steps than those recorded for this run",
      hint: "Put the flow's earlier code back to finish this run, or start a new run.",
      cause: thrown,
    });
  }
  return toSluiceError(thrown, "STEP_FAILED", true);
}

function codeOf(error: Json): string | null {
  const code = isRecord(error) ? error["code"] : null;
  return typeof code === "string" ? code : null;
}
