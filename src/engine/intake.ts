import { type AnyFlow, queueingOf } from "../core/index.ts";
import type { Acceptance, ClaimedRun, IncomingEvent, Store } from "../store/index.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { FlowEvent } from "./host.ts";
import type { Pace } from "./pace.ts";
import type { QueueGauge } from "./queue-gauge.ts";

/** What {@link createIntake} takes. */
export interface IntakeOptions {
  readonly store: Store;
  readonly executor: string;
  readonly flows: ReadonlyMap<string, AnyFlow>;
  readonly dispatcher: Dispatcher;
  readonly gauge: QueueGauge;
  readonly pace: Pace;
}

/**
 * Accepts events: refused when the queue is full, begun in the same commit while there is room and nothing waits, queued
 * otherwise.
 *
 * @throws QUEUE_FULL; DATABASE_UNAVAILABLE when it could not be committed.
 */
export function createIntake(options: IntakeOptions): (workspaceId: string, event: FlowEvent) => Promise<Acceptance> {
  const { store, executor, flows, dispatcher, gauge, pace } = options;

  async function begin(workspaceId: string, event: IncomingEvent, flow: AnyFlow): Promise<Acceptance> {
    const { events } = store.workspace(workspaceId);
    try {
      const stored = await events.accept({ ...event, begin: { executor, flowVersion: flow.version } });
      const { contentKey = null, ...accepted } = stored;
      if (accepted.duplicate) dispatcher.unreserve();
      else dispatcher.beginReserved(toClaimed({ ...event, ...accepted, workspaceId, contentKey }, flow));
      return accepted;
    } catch (error) {
      // Should it have been committed all the same, the run is found as one that its process lost sight of.
      dispatcher.unreserve();
      throw error;
    }
  }

  return async (workspaceId, given) => {
    const flow = flows.get(given.flow);
    if (!given.parent) gauge.check();
    pace.note();
    const event = { ...given, ...(flow && queueingOf(flow, given.payload)) };
    if (flow && dispatcher.reserve(flow)) return begin(workspaceId, event, flow);
    const accepted = await store.workspace(workspaceId).events.accept(event);
    if (!accepted.duplicate) {
      gauge.add();
      dispatcher.notifyQueued();
    }
    return accepted;
  };
}

type Begun = IncomingEvent & Pick<Acceptance, "runId"> & Pick<ClaimedRun, "workspaceId" | "contentKey">;

function toClaimed({ runId, workspaceId, payload, contentKey, parent }: Begun, flow: AnyFlow): ClaimedRun {
  return {
    workspaceId,
    id: runId,
    flow: flow.name,
    flowVersion: null,
    epoch: 1,
    begun: false,
    suspicion: 0,
    blames: 0,
    resumes: 0,
    failedStep: null,
    signals: 0,
    cuts: [],
    depth: parent?.depth ?? 0,
    parentRunId: parent?.runId ?? null,
    payload,
    contentKey,
    lost: null,
  };
}
