import type { AnyFlow, Json, Trigger } from "../core/index.ts";
import type { Period, SentToModel, Workspace } from "../store/index.ts";
import type { Trace, TracedCall } from "./trace-sends.ts";

/** What one step of a flow sends to one model. */
export interface MappedCall extends Omit<TracedCall, "fields"> {
  /** `seen`: in how many calls it was sent; 0 when it was traced. */
  readonly fields: readonly (TracedCall["fields"][number] & { readonly seen: number })[];
  /** Told by the calls that were made, or by running the flow dry on an event. */
  readonly basis: "observed" | "traced";
  /** How many calls were observed, and when the last one was (ISO 8601); 0 and null when it was traced. */
  readonly calls: number;
  readonly lastAt: string | null;
}

/** What a flow sends to models. */
export interface MappedFlow {
  readonly flow: string;
  /** Where its events come from, such as `webhook leads`. */
  readonly source: string;
  readonly calls: readonly MappedCall[];
  /** What tracing could not show, in words; null when there is nothing to say. */
  readonly note: string | null;
}

/** What all flows send to models. Times are ISO 8601. */
export interface DataMap {
  readonly from: string;
  readonly to: string;
  readonly flows: readonly MappedFlow[];
}

/** What {@link readDataMap} takes. */
export interface DataMapOptions {
  readonly flows: readonly AnyFlow[];
  readonly workspace: Pick<Workspace, "costs" | "samples">;
  /** Whose calls are looked at. */
  readonly period: Period;
  /** Runs a flow dry on an event; see {@link traceSends}. */
  readonly trace: (flow: AnyFlow, payload: Json | undefined) => Promise<Trace>;
}

/**
 * Tells of every flow which fields go to which model, provider and region, and what of them is masked: by the calls of a
 * period, and for a flow without any by running it dry on the first of its samples.
 */
export async function readDataMap({ flows, workspace, period, trace }: DataMapOptions): Promise<DataMap> {
  const sent = Map.groupBy(await workspace.costs.sent(period), ({ flow }) => flow);
  const mapped: MappedFlow[] = [];
  // One after another: each trace may use up to five seconds of this process.
  for (const flow of flows) {
    const observed = sent.get(flow.name)?.map(toObserved);
    const place = { flow: flow.name, source: sourceOf(flow.trigger) };
    if (observed) {
      mapped.push({ ...place, calls: observed, note: null });
    } else {
      const { calls, note } = await trace(flow, await sampleOf(flow, workspace));
      mapped.push({ ...place, calls: calls.map(toTraced), note });
    }
  }
  return { from: period.from.toISOString(), to: period.to.toISOString(), flows: mapped };
}

/** Declared ones come first, as they are made to show what the flow does. */
async function sampleOf({ name, trigger }: AnyFlow, workspace: DataMapOptions["workspace"]): Promise<Json | undefined> {
  const [declared] = Object.values(trigger.samples);
  if (declared !== undefined) return declared;
  const [stored] = await workspace.samples.ofFlow(name);
  return stored?.payload;
}

function sourceOf(trigger: Trigger): string {
  return trigger.kind === "webhook" ? `webhook ${trigger.path}` : "API call";
}

function toObserved({ flow: _flow, lastAt, ...call }: SentToModel): MappedCall {
  return { ...call, basis: "observed", lastAt: lastAt.toISOString() };
}

function toTraced({ fields, ...call }: TracedCall): MappedCall {
  return { ...call, fields: fields.map((field) => ({ ...field, seen: 0 })), basis: "traced", calls: 0, lastAt: null };
}
