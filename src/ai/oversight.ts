import { type AnyFlow, digestOf, type Json } from "../core/index.ts";
import { type Period, resumeCircuit, type Store, type Workspace } from "../store/index.ts";
import { type DataMap, readDataMap } from "./data-map.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { ModelAccess } from "./model-access.ts";
import type { ResolvedModels } from "./model-spec.ts";
import { describeModelStatus, type ModelStatus } from "./model-status.ts";
import { candidatesToTest, type ModelTest, testModel } from "./model-test.ts";
import { type Trace, type TraceOptions, traceSends } from "./trace-sends.ts";

/** What {@link createOversight} takes. */
export interface OversightOptions {
  readonly gateway: Pick<GatewayOptions, "models" | "detectors" | "masking" | "fetch" | "resolveSecret">;
  readonly flows: readonly AnyFlow[];
  readonly limits: Pick<Store["limits"], "gauges" | "resume">;
  readonly workspace: Pick<Workspace, "costs" | "samples" | "ledger">;
}

/** What people see of the gateway, and may do to it. */
export interface Oversight {
  /** All names of the configuration with the state of limits, pauses and circuits. */
  models(): Promise<ModelStatus[]>;
  /**
   * Calls each candidate of a name, or of all names, once with a few words. Held against no limit, so that it can be told
   * whether a provider whose circuit is open answers again.
   *
   * @throws MODEL_UNKNOWN for a name that is not configured.
   */
  test(name?: string): Promise<ModelTest[]>;
  /** See {@link resumeCircuit}. */
  resume(credential: string, by: string): Promise<boolean>;
  /** See {@link readDataMap}. */
  dataMap(period: Period): Promise<DataMap>;
}

/** Makes what people oversee the gateway by. */
export function createOversight({ gateway, flows, limits, workspace }: OversightOptions): Oversight {
  const { models } = gateway;
  const trace = rememberTraces(gateway);
  return {
    models: async () => describeModelStatus(models, await limits.gauges()),
    test: (name) => testModels(models, name, gateway),
    resume: (credential, by) => resumeCircuit({ limits, ledger: workspace.ledger }, credential, by),
    dataMap: (period) => readDataMap({ flows, workspace, period, trace }),
  };
}

/**
 * Traces each flow once for a sample: whoever looks at the map again and again shall not run flows again and again. Code,
 * models and detectors are the same as long as the process lives.
 */
function rememberTraces(gateway: TraceOptions["gateway"]) {
  const known = new Map<string, { readonly sample: string; readonly trace: Promise<Trace> }>();
  return (flow: AnyFlow, payload: Json | undefined): Promise<Trace> => {
    const sample = digestOf(payload);
    const before = known.get(flow.name);
    if (before?.sample === sample) return before.trace;
    const trace = traceSends({ flow, payload, gateway });
    known.set(flow.name, { sample, trace });
    return trace;
  };
}

/**
 * Calls each candidate of a name, or of all names, once with a few words; one that several names stand for is called once.
 *
 * @throws MODEL_UNKNOWN for a name that is not configured.
 */
export function testModels(
  models: ResolvedModels,
  name: string | undefined,
  access: ModelAccess,
): Promise<ModelTest[]> {
  const asked = new Map<string, Promise<ModelTest>>();
  return Promise.all(
    candidatesToTest(models, name).map(async (model) => {
      const key = JSON.stringify(model.spec);
      const test = asked.get(key) ?? testModel(model, { access });
      asked.set(key, test);
      return { ...(await test), name: model.name };
    }),
  );
}
