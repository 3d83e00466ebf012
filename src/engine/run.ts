import {
  fingerprintOf,
  isRecord,
  type Json,
  parseSchema,
  SluiceError,
  toJson,
  toSluiceError,
  withRunScope,
} from "../core/index.ts";
import { type ClaimedRun, isContentLost, type RunOutcome, type StepRecord } from "../store/index.ts";
import { Execution } from "./execution.ts";
import type { RunHost } from "./host.ts";
import { abandon, persist } from "./persist.ts";
import { createContext, createScope } from "./run-scope.ts";
import { originOf } from "./step.ts";

/** Deaths in a row after which a run is set aside, when it was alone under suspicion in one of them. */
const mostDeaths = 3;

/**
 * The durable function of every run: executes the flow on its payload and writes how it ended. Its outcome is in our
 * row alone; beneath, it always succeeds, unless the run was given up, cancelled or taken over.
 */
export async function executeRun(host: RunHost, run: ClaimedRun): Promise<void> {
  const { recorded, lost } = await readRecorded(host, run);
  const execution = new Execution(host, { ...run, lost }, recorded);
  host.executions.add(execution);
  const outcome = await Promise.race([outcomeOf(execution), departureOf(execution)]);
  if (outcome && !host.closing.aborted) await finish(execution, outcome);
}

/** What earlier executions left. When that cannot be read, the run has to fail: it would be taken on again and again. */
async function readRecorded(
  { store, closing }: RunHost,
  { workspaceId, id, begun, lost }: ClaimedRun,
): Promise<{ readonly recorded: readonly StepRecord[]; readonly lost: SluiceError | null }> {
  if (lost || !begun) return { recorded: [], lost };
  try {
    return { recorded: await persist(() => store.workspace(workspaceId).steps.ofRun(id), closing), lost: null };
  } catch (thrown) {
    if (isContentLost(thrown)) return { recorded: [], lost: thrown };
    throw thrown;
  }
}

async function finish(execution: Execution, outcome: RunOutcome): Promise<void> {
  const { host, workspace, run } = execution;
  await execution.untilWritten();
  const written = await persist(() => workspace.runs.finish(run.id, outcome, run), host.closing);
  if (!written) return;
  host.onEnded(run.id);
  if (run.parentRunId !== null) host.onQueued();
  const fields = { run: run.id, flow: run.flow };
  if (outcome.status === "succeeded") host.log.info("run.succeeded", fields);
  else host.log.warn(`run.${outcome.status}`, { ...fields, code: codeOf(outcome.error) });
}

/** Null when the execution left without an outcome: parked, cancelled, lost. */
async function departureOf(execution: Execution): Promise<RunOutcome | null> {
  const { error } = await execution.departed;
  return error && toFailure(execution, error);
}

async function outcomeOf(execution: Execution): Promise<RunOutcome> {
  try {
    const output = await executeFlow(execution);
    return { status: "succeeded", output: toJson(output), error: null, failedStep: null, fingerprint: null };
  } catch (thrown) {
    if (execution.hasLeft) return abandon();
    return toFailure(execution, thrown);
  }
}

function toFailure({ run, recorded, stepNames }: Execution, thrown: unknown): RunOutcome {
  const error = toRunError(thrown);
  const failedStep = originOf(thrown);
  const step = failedStep === null ? null : (stepNames.get(failedStep) ?? recorded.get(failedStep)?.name ?? null);
  return {
    status: error.code === "EFFECT_IN_DOUBT" ? "in_doubt" : "failed",
    output: null,
    error: toJson(error.toJSON()),
    failedStep,
    fingerprint: fingerprintOf(run.flow, step, error),
  };
}

async function executeFlow(execution: Execution): Promise<unknown> {
  const { host, run } = execution;
  if (run.lost) throw run.lost;
  const flow = host.flows.get(run.flow);
  if (!flow) {
    throw new SluiceError("FLOW_UNKNOWN", {
      message: `flow "${run.flow}" is not part of this application any more`,
      hint: "Put the flow back and resume the run, or cancel it.",
    });
  }
  if (run.suspicion >= mostDeaths && run.blames > 0) {
    throw new SluiceError("RUN_SET_ASIDE", {
      message: `the process that ran it died ${run.suspicion} times in a row, and nothing else was under suspicion`,
      hint: "Look for what this run does that ends the process (memory, exit), then resume it.",
    });
  }
  const payload = await parseSchema(flow.trigger.payload, run.payload, {
    code: "PAYLOAD_INVALID",
    what: `the event of flow ${flow.name}`,
  });
  const output = await withRunScope(createScope(execution), () =>
    flow.execute(payload as never, createContext(execution)),
  );
  return (await execution.checkEnd()) ?? output;
}

/** What the rows do not show, the engine beneath may still know. */
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
