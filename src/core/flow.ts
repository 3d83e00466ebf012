import { createHash } from "node:crypto";
import type { Ai } from "./ai-call.ts";
import type { Duration } from "./duration.ts";
import { SluiceError } from "./errors.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Schema } from "./schema.ts";
import type { Trigger } from "./trigger.ts";

/** What a flow's `run` function is given besides the payload. Everything awaited from it is a durable step. */
export interface FlowContext {
  readonly run: { readonly id: string; readonly flow: string };
  readonly ai: Ai;
  /**
   * Wraps a side effect of your own, or anything that is not deterministic. The result must be JSON; it is recorded once.
   *
   * @throws what `work` threw; an error marked `retryable` is tried again first.
   */
  readonly step: <T>(
    name: string,
    work: (attempt: { number: number; key: string; signal: AbortSignal }) => Promise<T>,
    options?: StepOptions,
  ) => Promise<T>;
  /** Waits; the time to wake survives restarts. */
  readonly sleep: (name: string, duration: Duration) => Promise<void>;
  /**
   * Waits until `POST /api/v1/runs/{id}/signals/{name}` brings a value that fits the schema.
   *
   * @throws SIGNAL_TIMEOUT when none came in time (default: 7 days).
   */
  readonly waitForSignal: <T>(name: string, options: { schema: Schema<T>; timeout?: Duration }) => Promise<T>;
}

/** Options of a step of your own. */
export interface StepOptions {
  /** Default: six tries over about a minute. */
  readonly retry?: RetryPolicy;
}

/** Limits of money, in US dollars. */
export interface Budget {
  readonly perRunUsd?: number;
  readonly perDayUsd?: number;
}

/** What {@link flow} takes. */
export interface FlowOptions<Payload, Output> {
  /** `a-z 0-9 -`, starting with a letter; unique in the application. */
  readonly name: string;
  /** One sentence for the dashboard. */
  readonly description?: string;
  readonly trigger: Trigger<Payload>;
  readonly budget?: Budget;
  /** Minutes of a person's work that one successful run replaces; for the savings figures. Default: 0. */
  readonly minutesSaved?: number;
  /** The durable function. Ordinary code between awaited steps must be deterministic: it runs again on replay. */
  run(payload: Payload, context: FlowContext): Promise<Output>;
}

/** A declared flow. */
export interface Flow<Payload = unknown, Output = unknown> extends FlowOptions<Payload, Output> {
  readonly description: string;
  readonly minutesSaved: number;
  /** Digest of the flow's code; stored on each run, so that a run of an older version can be told. */
  readonly version: string;
}

/** A flow of any payload, for lists of flows. Its payload is known to fit once the trigger's schema has checked it. */
export interface AnyFlow extends Omit<Flow, "run"> {
  run(payload: never, context: FlowContext): Promise<unknown>;
}

/**
 * Declares a flow: a named, durable function started by a trigger.
 *
 * @throws FLOW_INVALID when the name is not usable.
 */
export function flow<Payload, Output>(options: FlowOptions<Payload, Output>): Flow<Payload, Output> {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(options.name)) {
    throw new SluiceError("FLOW_INVALID", {
      message: `flow name ${JSON.stringify(options.name)} is not usable`,
      hint: "Use lower-case letters, digits and hyphens, starting with a letter, at most 63 characters.",
    });
  }
  const version = createHash("sha256").update(options.run.toString()).digest("hex").slice(0, 12);
  return { description: "", minutesSaved: 0, ...options, version };
}
