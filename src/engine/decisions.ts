import { type Json, parseSchema, SluiceError } from "../core/index.ts";
import { cancelRun, findRun, migrateRun, resumeRun, ruleEffect, type Store } from "../store/index.ts";
import type { Engine } from "./engine.ts";
import type { RunHost } from "./host.ts";

/** What people decide about runs. */
export type Decisions = Pick<Engine, "resume" | "migrate" | "recheck" | "rule" | "cancel" | "signal">;

/** Makes the part of the engine by which people decide. */
export function createDecisions({ host, store }: { readonly host: RunHost; readonly store: Store }): Decisions {
  return {
    async resume(workspaceId, runId) {
      await resumeRun(store.workspace(workspaceId), runId);
      host.onQueued();
    },
    async migrate(workspaceId, runId) {
      await migrateRun(store.workspace(workspaceId), runId);
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
      await ruleEffect(store.workspace(workspaceId), runId, ruling);
      host.onQueued();
    },
    cancel: (workspaceId, runId) =>
      cancelRun(store.workspace(workspaceId), runId, async (id) => {
        await host.executions.find(id)?.stop();
        host.onEnded(id);
        host.onQueued();
      }),
    async signal(workspaceId, runId, name, value) {
      await findRun(store.workspace(workspaceId), runId);
      await checkSignal(host, runId, name, value);
      const first = await store.workspace(workspaceId).signals.send(runId, name, value);
      host.signals.announce(runId, name);
      if (first) host.onQueued();
      return first;
    },
  };
}

function flowUnknown(name: string): SluiceError {
  return new SluiceError("FLOW_UNKNOWN", {
    message: `flow "${name}" is not part of this application`,
    hint: "Look at the flows of the configuration.",
  });
}

/** A run that waited for it here has said what it must fit; any other checks the value when it goes on. */
async function checkSignal(host: RunHost, runId: string, name: string, value: Json): Promise<void> {
  const schema = host.signals.schemaOf(runId, name);
  if (schema) await parseSchema(schema, value, { code: "REQUEST_INVALID", what: `signal "${name}"` });
}
