import { SluiceError, toJsonSchema, type JsonObject, type Schema, type Trigger } from "../../core/index.ts";
import type { FlowFigures, RefusalCount, SampleRecord } from "../../store/index.ts";
import type { FlowInfo } from "../ports.ts";
import type { FlowDetailView, FlowView, SampleView } from "./schemas.ts";

/** @param publicUrl address of the public listener as senders see it. */
export function toFlowView({ flow, trigger }: FlowInfo, figures: FlowFigures | undefined, publicUrl: string): FlowView {
  return {
    name: flow.name,
    description: flow.description,
    version: flow.version,
    trigger: toTriggerView(trigger, publicUrl),
    minutesSaved: flow.minutesSaved,
    counts: { ...figures?.counts },
    medianMs: figures?.medianMs ?? null,
    lastRunAt: figures?.lastRunAt?.toISOString() ?? null,
  };
}

function toTriggerView(trigger: Trigger, publicUrl: string): FlowView["trigger"] {
  if (trigger.kind === "call") return { kind: "call" };
  const { path, verify } = trigger;
  return {
    kind: "webhook",
    path,
    url: `${publicUrl.replace(/\/+$/, "")}/hooks/${path}`,
    scheme: "scheme" in verify ? verify.scheme : null,
  };
}

/** What {@link toFlowDetailView} is made from. */
export interface FlowParts {
  readonly info: FlowInfo;
  readonly figures: FlowFigures | undefined;
  readonly samples: readonly SampleRecord[];
  /** Of all hooks. */
  readonly refusals: readonly RefusalCount[];
  readonly publicUrl: string;
}

export function toFlowDetailView({ info, figures, samples, refusals, publicUrl }: FlowParts): FlowDetailView {
  return {
    ...toFlowView(info, figures, publicUrl),
    payloadSchema: describe(info.trigger.payload),
    samples: toSampleViews(info, samples),
    refusals: refusals.filter(
      ({ source }) => info.trigger.kind === "webhook" && source === `webhook:${info.trigger.path}`,
    ),
  };
}

/** The samples of a flow's code, in its order, each as it was last edited; then those that people added. */
export function toSampleViews({ trigger }: FlowInfo, stored: readonly SampleRecord[]): SampleView[] {
  const samples = new Map(Object.entries(trigger.samples));
  for (const { name, payload } of stored) samples.set(name, payload);
  return [...samples].map(([name, payload]) => ({ name, payload }));
}

/** A schema of a library that cannot write JSON Schema still checks payloads; here it shows as one that takes anything. */
function describe(schema: Schema): JsonObject {
  try {
    return toJsonSchema(schema);
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === "FLOW_INVALID") return {};
    throw thrown;
  }
}
