import { type Json, parseSchema, rootOf, SluiceError } from "../core/index.ts";
import type { RunRecord, Store } from "../store/index.ts";
import type { Engine, Ruling } from "./engine.ts";
import { unfitStepOf } from "./execution.ts";
import type { RunHost } from "./host.ts";

/** What people decide about runs. */
export type Decisions = Pick<Engine, "resume" | "migrate" | "recheck" | "rule" | "cancel" | "signal">;

/** Makes the part of the engine by which people decide. */
export function createDecisions({ host, store }: { readonly host: RunHost; readonly store: Store }): Decisions {
  return {
    async resume(workspaceId, runId) {
      await resume(store, workspaceId, runId);
      host.onQueued();
    },
    async migrate(workspaceId, runId) {
      await migrate(store, workspaceId, runId);
      host.onQueued();
    },
    async recheck(workspaceId, flowName) {
      const flow = host.flows.get(flowName);
      if (!flow) throw flowUnknown(flowName);
      const count = await store.workspace(workspaceId).runs.recheck(flowName, flow.version);
      if (count > 0) host.onQueued();
      return count;
    },
    async rule(workspaceId, runId, ruling) {
      await rule(store, workspaceId, runId, ruling);
      host.onQueued();
    },
    cancel: (workspaceId, runId) => cancel({ host, store }, workspaceId, runId),
    async signal(workspaceId, runId, name, value) {
      const { flow } = await findRun(store, workspaceId, runId);
      await checkSignal(host, flow, name, value);
      const first = await store.workspace(workspaceId).signals.send(runId, name, value);
      host.signals.announce(runId, name);
      if (first) host.onQueued();
      return first;
    },
  };
}

async function findRun(store: Store, workspaceId: string, runId: string): Promise<RunRecord> {
  const run = await store.workspace(workspaceId).runs.find(runId);
  if (run) return run;
  throw new SluiceError("RUN_UNKNOWN", {
    message: `run "${runId}" does not exist`,
    hint: "List the runs with: sluice runs",
  });
}

function flowUnknown(name: string): SluiceError {
  return new SluiceError("FLOW_UNKNOWN", {
    message: `flow "${name}" is not part of this application`,
    hint: "Look at the flows of the configuration.",
  });
}

async function resume(store: Store, workspaceId: string, runId: string): Promise<void> {
  const run = await findRun(store, workspaceId, runId);
  if (await store.workspace(workspaceId).runs.reopen(runId)) return;
  throw new SluiceError("RUN_NOT_RESUMABLE", {
    message: `run "${runId}" is ${run.status}; only failed, cancelled and in-doubt runs can be resumed`,
    hint:
      run.status === "succeeded" ? "Send the event again to run the flow anew." : "Wait for it to end, or cancel it.",
  });
}

async function migrate(store: Store, workspaceId: string, runId: string): Promise<void> {
  const run = await findRun(store, workspaceId, runId);
  const step = unfitStepOf(run.error);
  const workspace = store.workspace(workspaceId);
  if (step !== null) {
    const from = rootOf(step);
    // While it is failed, nothing else writes its steps.
    await workspace.steps.dropFrom(runId, from);
    if (await workspace.runs.reopen(runId, from)) return;
  }
  throw new SluiceError("RUN_NOT_MIGRATABLE", {
    message: `run "${runId}" is ${run.status}; only runs that failed with FLOW_CHANGED can be migrated`,
    hint: "A waiting run shows whether it still fits when it goes on, or with: sluice runs migrate --recheck",
  });
}

async function rule(store: Store, workspaceId: string, runId: string, ruling: Ruling): Promise<void> {
  const { key, word, by, output = null } = ruling;
  const run = await findRun(store, workspaceId, runId);
  const { effects, runs } = store.workspace(workspaceId);
  const receipt = await effects.find(key);
  if (receipt?.runId !== runId) {
    throw new SluiceError("EFFECT_UNKNOWN", {
      message: `run "${runId}" has no effect with the key "${key}"`,
      hint: "Look at its effects with: sluice runs show",
    });
  }
  const isOpen = run.status === "in_doubt" || run.status === "failed";
  if (!isOpen || !(await effects.rule(key, { word, by, at: new Date().toISOString() }, output))) {
    throw new SluiceError("EFFECT_NOT_IN_DOUBT", {
      message: `effect "${key}" is ${receipt.state} and its run ${run.status}`,
      hint: "There is nothing to decide; somebody may have decided already.",
    });
  }
  // When it dies in between, the run is resumed as any other one: the word is recorded.
  await runs.reopen(runId);
}

/** The sub-flows first are told when the run itself is cancelled: one that waits for them must not go on with their end. */
async function cancel(
  { host, store }: { readonly host: RunHost; readonly store: Store },
  workspaceId: string,
  runId: string,
): Promise<void> {
  const run = await findRun(store, workspaceId, runId);
  const { runs } = store.workspace(workspaceId);
  const outcome = { status: "cancelled", output: null, error: null, failedStep: null, fingerprint: null } as const;
  if (!(await runs.finish(runId, outcome, { epoch: null, parentRunId: run.parentRunId }))) {
    throw new SluiceError("RUN_NOT_CANCELLABLE", {
      message: `run "${runId}" is ${run.status}; it has ended`,
      hint: "Only queued, running and waiting runs can be cancelled.",
    });
  }
  await host.executions.find(runId)?.stop();
  host.onEnded(runId);
  host.onQueued();
  for (const child of await runs.unfinishedChildren(runId)) {
    await cancel({ host, store }, workspaceId, child).catch((error: unknown) => {
      // It ended meanwhile by itself.
      if (!(error instanceof SluiceError && error.code === "RUN_NOT_CANCELLABLE")) throw error;
    });
  }
}

/** A flow whose runs waited for it here has said what it must fit; any other run checks the value when it goes on. */
async function checkSignal(host: RunHost, flow: string, name: string, value: Json): Promise<void> {
  const schema = host.signals.schemaOf(flow, name);
  if (schema) await parseSchema(schema, value, { code: "REQUEST_INVALID", what: `signal "${name}"` });
}
