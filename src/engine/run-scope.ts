import {
  currentRun,
  type FlowContext,
  type RunScope,
  type ServiceKey,
  SluiceError,
  toMs,
  withRunScope,
} from "../core/index.ts";
import type { Execution } from "./execution.ts";
import { runMap } from "./map.ts";
import { Numbering, runStep } from "./step.ts";
import { runSubflow } from "./subflow.ts";
import { sleep, waitForSignal } from "./waits.ts";

/** What code of the flow reaches its run by: the whole flow, or an item of a map with a numbering of its own. */
export function createScope(execution: Execution, numbering: Numbering = new Numbering(null)): RunScope {
  const { run, host } = execution;
  return {
    workspaceId: run.workspaceId,
    runId: run.id,
    flow: run.flow,
    flowSettings: host.flows.get(run.flow) ?? {},
    payload: run.payload,
    step: (request) => runStep(execution, numbering, request),
    map: (items, work, options) =>
      runMap(execution, numbering, {
        ...options,
        items,
        work: (item, index, path) => withRunScope(createScope(execution, new Numbering(path)), () => work(item, index)),
      }),
    subflow: (name, payload, { wait }) => runSubflow(execution, numbering, { name, payload, wait }),
    sleep: (name, durationMs) => sleep(execution, numbering, name, durationMs),
    waitForSignal: (name, options) => waitForSignal(execution, numbering, name, options),
    service<T>(key: ServiceKey<T>): T {
      if (host.services.has(key.name)) return host.services.get(key.name) as T;
      throw new SluiceError("INTERNAL", { message: `no service "${key.name}" in this application` });
    },
  };
}

/** What a flow's function is given. Each call belongs to the run, or the item, in which it is made. */
export function createContext({ host, run }: Execution): FlowContext {
  return {
    run: { id: run.id, flow: run.flow },
    ai: host.ai,
    step: (name, work, options) =>
      currentRun("step").step({
        name,
        kind: options?.effect ? "effect" : "code",
        execute: work,
        ...(options?.effect && { irreversible: true }),
        ...(options?.retry && { retry: options.retry }),
      }),
    map: (items, work, options) => currentRun("map").map(items, work, options ?? {}),
    sleep: (name, duration) => currentRun("sleep").sleep(name, toMs(duration)),
    waitForSignal: (name, options) =>
      currentRun("waitForSignal").waitForSignal(name, {
        schema: options.schema,
        timeoutMs: toMs(options.timeout ?? "7d"),
      }),
  };
}
