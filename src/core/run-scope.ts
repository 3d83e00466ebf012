import { AsyncLocalStorage } from "node:async_hooks";
import { SluiceError } from "./errors.ts";
import type { Json } from "./json.ts";
import type { RetryPolicy } from "./retry.ts";

/** The kinds of steps that a run's timeline tells apart. */
export type StepKind = "code" | "ai" | "effect" | "sleep" | "signal";

/** One try of a step. */
export interface StepAttempt {
  /** From 1; counts on when the process died and another took over. */
  readonly number: number;
  /** Position of the step in its run, from 0, in the order of the calls. */
  readonly sequence: number;
  /** Stable over all attempts and processes: `run id/step sequence`. The idempotency key of an effect. */
  readonly key: string;
  /** Fires when the run is cancelled or the process shuts down. */
  readonly signal: AbortSignal;
}

/** A piece of work whose result is recorded once. */
export interface StepRequest<T> {
  /** What people see; the same on every replay. */
  readonly name: string;
  readonly kind: StepKind;
  /** What the step works on; recorded for the timeline. */
  readonly input?: Json;
  /** Default: {@link defaultRetry}. */
  readonly retry?: RetryPolicy;
  /** Does the work. Its result must be JSON. May run again when the process dies before the result is recorded. */
  readonly execute: (attempt: StepAttempt) => Promise<T>;
}

/** Names a service that the application puts into every run, such as the gateway. */
export interface ServiceKey<T> {
  readonly name: string;
  /** Carries the type only. */
  readonly type?: T;
}

/** The run that the present code belongs to. Given by the engine; used by whatever makes a durable step. */
export interface RunScope {
  readonly workspaceId: string;
  readonly runId: string;
  readonly flow: string;
  /** How many fields (leaves) the event's payload has; for "37 fields available, 2 sent". */
  readonly availableFields: number;
  /** Runs a step: once recorded, a replay gives the record. */
  step<T>(request: StepRequest<T>): Promise<T>;
  /** The service that the application registered under a key. @throws INTERNAL when there is none. */
  service<T>(key: ServiceKey<T>): T;
}

const storage = new AsyncLocalStorage<RunScope>();

/** Runs a function inside a run. For the engine. */
export function withRunScope<T>(scope: RunScope, run: () => Promise<T>): Promise<T> {
  return storage.run(scope, run);
}

/**
 * The run that the calling code belongs to.
 *
 * @throws OUTSIDE_RUN when there is none: an action, AI call or step was used outside a flow's `run` function.
 */
export function currentRun(what: string): RunScope {
  const scope = storage.getStore();
  if (scope) return scope;
  throw new SluiceError("OUTSIDE_RUN", {
    message: `${what} was called outside a run`,
    hint: "Call it inside the run function of a flow. In a test, run the flow with sluice/testing.",
  });
}
