import type { Ai, AnyFlow, Json, Log } from "../core/index.ts";
import type { ClaimedRun, IncomingEvent, Store } from "../store/index.ts";
import type { Attempts } from "./attempts.ts";
import type { Executions } from "./executions.ts";
import type { Presence } from "./presence.ts";
import type { DurableRuntime } from "./runtime.ts";
import type { ExpectedSignals } from "./signals.ts";
import type { Slots } from "./slots.ts";

/** What the runs of a process share. */
export interface RunHost {
  readonly executor: string;
  readonly store: Store;
  readonly flows: ReadonlyMap<string, AnyFlow>;
  readonly services: ReadonlyMap<string, unknown>;
  readonly ai: Ai;
  readonly signals: ExpectedSignals;
  readonly executions: Executions;
  readonly slots: Slots;
  readonly attempts: Attempts;
  readonly runtime: Pick<DurableRuntime, "cancel">;
  readonly presence: Pick<Presence, "confirm">;
  readonly log: Log;
  readonly closing: AbortSignal;
  /** Accepts an event, as a trigger would. */
  readonly accept: (
    workspaceId: string,
    event: FlowEvent,
  ) => Promise<{ readonly runId: string; readonly duplicate: boolean }>;
  /** Told when a run has ended here. */
  readonly onEnded: (runId: string) => void;
  /** Told when all that a run has under way waits. */
  readonly onRest: (run: ClaimedRun) => void;
  /** Told when a step of a run has ended. */
  readonly onProgress: (run: ClaimedRun) => void;
  /** Told when a run was queued by what another one did. */
  readonly onQueued: () => void;
}

/** An event that is to be accepted; what the flow says about its runs is added. */
export type FlowEvent = Omit<IncomingEvent, "priority" | "concurrencyKey" | "begin"> & { readonly payload: Json };
