import { type AnyFlow, digestOf, type Json, parseSchema, type SluiceErrorJson, SluiceError } from "../core/index.ts";
import type { RunRecord } from "../store/index.ts";
import type { Execution } from "./execution.ts";
import { persist } from "./persist.ts";
import { type Numbering, runStep, type StepPlace, waitPolicy } from "./step.ts";

/** Deeper nesting is a flow that starts itself without end. */
const deepest = 16;

/**
 * Begins a run of another flow as a step of this one, once: a replay finds the run that it began. With `wait`, gives its
 * output; the waiting run is parked meanwhile. When this run is resumed from the step, a sub-flow that failed is resumed.
 *
 * @throws FLOW_UNKNOWN, PAYLOAD_INVALID, RUN_TOO_DEEP; SUBFLOW_FAILED when it was waited for and did not succeed.
 */
export function runSubflow(
  execution: Execution,
  numbering: Numbering,
  subflow: { readonly name: string; readonly payload: Json; readonly wait: boolean },
): Promise<Json> {
  return runStep<Json>(execution, numbering, {
    name: subflow.name,
    kind: "run",
    input: { flow: subflow.name, wait: subflow.wait },
    retry: waitPolicy,
    async execute(place) {
      const flow = await findFlow(execution, subflow.name, subflow.payload);
      const runId = await begin(execution, place, flow, subflow.payload);
      return subflow.wait ? outputOf(execution, place, runId) : { runId };
    },
  });
}

async function findFlow({ host, run }: Execution, name: string, payload: Json): Promise<AnyFlow> {
  const flow = host.flows.get(name);
  if (!flow) {
    throw new SluiceError("FLOW_UNKNOWN", {
      message: `flow ${run.flow} starts flow "${name}", which is not part of this application`,
      hint: "Add it to the flows of the configuration.",
    });
  }
  if (run.depth >= deepest) {
    throw new SluiceError("RUN_TOO_DEEP", {
      message: `flow ${run.flow} would start flow ${name} as sub-flow ${run.depth + 1} deep, expected at most ${deepest}`,
      hint: "A flow that starts itself needs a condition under which it does not.",
    });
  }
  await parseSchema(flow.trigger.payload, payload, { code: "PAYLOAD_INVALID", what: `the payload for flow ${name}` });
  return flow;
}

/** The event's key is that of the step, so that there is one run, however often this is done. */
async function begin({ host, run }: Execution, place: StepPlace, flow: AnyFlow, payload: Json): Promise<string> {
  const { runId } = await persist(
    () =>
      host.accept(run.workspaceId, {
        flow: flow.name,
        source: "run",
        dedupKey: place.key,
        deliveryId: null,
        bodyDigest: digestOf(payload),
        payload,
        sample: false,
        parent: { runId: run.id, path: place.path, depth: run.depth + 1 },
        receivedAt: new Date(),
      }),
    host.closing,
  );
  return runId;
}

async function outputOf(execution: Execution, place: StepPlace, runId: string): Promise<Json> {
  const { host, run, workspace } = execution;
  const look = async (): Promise<{ child: RunRecord | null; count: number }> => {
    // In this order: an end that comes in between makes the count differ, and the run is not parked over it.
    const count = await workspace.signals.count(run.id);
    return { child: await workspace.runs.find(runId), count };
  };
  let reopen = place.reopened;
  await place.wait(null);
  for (;;) {
    const { child, count } = await persist(look, host.closing);
    if (child?.finishedAt) {
      if (child.status === "succeeded") return child.output;
      if (!reopen) throw subflowFailed(child);
      await persist(() => workspace.runs.reopen(runId), host.closing);
      host.onQueued();
    }
    reopen = false;
    await execution.wait(null, count);
  }
}

function subflowFailed({ id, flow, status, error }: RunRecord): SluiceError {
  const { code, message } = (error ?? {}) as Partial<SluiceErrorJson>;
  const why = code === undefined ? "" : `: ${code} ${message}`;
  return new SluiceError("SUBFLOW_FAILED", {
    message: `sub-flow ${flow}, run ${id}, is ${status}${why}`,
    hint: "Resume this run to resume the sub-flow from the step that failed in it.",
    details: { run: id, status, ...(code !== undefined && { code }) },
  });
}
