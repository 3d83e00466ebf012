import { AsyncLocalStorage } from "node:async_hooks";
import { SluiceError } from "./errors.ts";
import type { AnyFlow } from "./flow.ts";
import type { Json } from "./json.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Schema } from "./schema.ts";

/** The kinds of steps that a run's timeline tells apart. */
export type StepKind = "code" | "ai" | "effect" | "sleep" | "signal" | "map" | "item" | "run";

/**
 * A step's place in its run: its number in the order of calls, from 0. Inside a `map`, the map's own path, the item's
 * number and the number inside the item follow: `3.0.1` is the second step of item 0 of the map that is step 3.
 */
export type StepPath = string;

/** Number of the step that the flow itself called, to which a path belongs. */
export function rootOf(path: StepPath): number {
  return Number(path.split(".", 1)[0]);
}

/**
 * The idempotency key of a step: `run id/path`, and `run id/path~n` after the n-th migration that let the run go on anew
 * before it.
 *
 * @param cuts numbers of the steps from which migrations let the run go on anew.
 */
export function keyOfStep(runId: string, path: StepPath, cuts: readonly number[]): string {
  const generation = cuts.filter((cut) => cut <= rootOf(path)).length;
  return `${runId}/${path}${generation === 0 ? "" : `~${generation}`}`;
}

/** A path as people count, from 1: `4` for `3`, `4.1.2` for `3.0.1`. */
export function formatStepPath(path: StepPath): string {
  return path
    .split(".")
    .map((number) => Number(number) + 1)
    .join(".");
}

/** Why a step waits that could go on otherwise: for room, for money, for a batch, for a provider to come back, for a person. */
export type WaitReason = "limit" | "budget" | "batch" | "circuit" | "person";

/**
 * What a step's `execute` throws to say "not now". No try is used up and nothing is held meanwhile: the step waits, with its
 * run parked when that is long, and `execute` is called again at `until`.
 */
export class Postponed extends Error {
  override readonly name = "Postponed";
  readonly until: Date;
  readonly reason: WaitReason;

  constructor(until: Date, reason: WaitReason) {
    super(`postponed until ${until.toISOString()} (${reason})`);
    this.until = until;
    this.reason = reason;
  }
}

/** One try of a step. */
export interface StepAttempt {
  /** From 1; counts on when the process died and another took over. */
  readonly number: number;
  /** The step's place in its run; see {@link StepPath}. */
  readonly path: StepPath;
  /** Stable over all attempts and processes: `run id/path`, after a migration `run id/path~n`. The idempotency key of an effect. */
  readonly key: string;
  /** Fencing token of the execution that this attempt belongs to. */
  readonly epoch: number;
  /** Since when this try has been {@link Postponed}; null when it was not. */
  readonly postponedSince: Date | null;
  /** Fires when the run is cancelled or the process shuts down. */
  readonly signal: AbortSignal;
  /**
   * Leaves a write behind that nobody need wait for: it is made once the step is on record or its try has failed,
   * again and again while the database is away, and the run ends after it. It may come twice, and not at all when the process dies before.
   */
  readonly leaveBehind: (write: () => Promise<void>) => void;
  /** Makes now what was left behind in the run, for work that builds on it. */
  readonly untilWritten: () => Promise<void>;
}

/** A piece of work whose result is recorded once. */
export interface StepRequest<T> {
  /** What people see; the same on every replay. */
  readonly name: string;
  readonly kind: StepKind;
  /** What the step works on; recorded for the timeline. */
  readonly input?: Json;
  /** What the result fits, where that is known: a dry run makes one up by it. */
  readonly output?: Schema;
  /** Default: {@link defaultRetry}. */
  readonly retry?: RetryPolicy;
  /**
   * Whether the work cannot be taken back: its intent is recorded first, it runs at most once, and what may have happened
   * stops the run as `in_doubt`. For work without receipts of its own. Default: false.
   */
  readonly irreversible?: boolean;
  /** Does the work. Its result must be JSON. May run again when the process dies before the result is recorded. */
  readonly execute: (attempt: StepAttempt) => Promise<T>;
}

/** How a `map` works. */
export interface MapOptions {
  /** What people see; the same on every replay. Default: `map`. */
  readonly name?: string;
  /** Most items under way at once, at least 1. Default: 10. */
  readonly concurrency?: number;
}

/** What a wait for a value from outside takes. */
export interface SignalWait<T> {
  readonly schema: Schema<T>;
  readonly timeoutMs: number;
  /** What people are to be shown who answer; recorded as the step's input. Default: nothing. */
  readonly question?: Json;
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
  /** What the flow says of its AI calls; all undefined for a flow that is gone from the configuration. */
  readonly flowSettings: Partial<
    Pick<AnyFlow, "budget" | "masking" | "dataClasses" | "regions" | "priority" | "trigger">
  >;
  readonly payload: Json;
  /** Runs a step: once recorded, a replay gives the record. */
  step<T>(request: StepRequest<T>): Promise<T>;
  /** Runs work for each item, as one step that records the result of each; see `FlowContext.map`. */
  map<Item, Result>(
    items: readonly Item[],
    work: (item: Item, index: number) => Promise<Result>,
    options: MapOptions,
  ): Promise<Result[]>;
  /**
   * Begins a run of another flow as a step; the same one on every replay. With `wait` it gives the output of that run.
   *
   * @throws FLOW_UNKNOWN, PAYLOAD_INVALID, RUN_TOO_DEEP; SUBFLOW_FAILED when it was waited for and did not succeed.
   */
  subflow(flow: string, payload: Json, options: { readonly wait: boolean }): Promise<Json>;
  /** Waits as a step; the time to wake survives restarts. */
  sleep(name: string, durationMs: number): Promise<void>;
  /** Waits as a step for a value from outside. @throws SIGNAL_TIMEOUT */
  waitForSignal<T>(name: string, options: SignalWait<T>): Promise<T>;
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
