import { createHash } from "node:crypto";
import type { Ai } from "./ai-call.ts";
import { type Duration, toMs } from "./duration.ts";
import { SluiceError } from "./errors.ts";
import type { Json } from "./json.ts";
import type { RetryPolicy } from "./retry.ts";
import type { MaskPolicy } from "./masking.ts";
import { currentRun, type MapOptions } from "./run-scope.ts";
import type { Schema } from "./schema.ts";
import type { Trigger } from "./trigger.ts";

/** What a flow's `run` function is given besides the payload. Everything awaited from it is a durable step. */
export interface FlowContext {
  readonly run: { readonly id: string; readonly flow: string };
  readonly ai: Ai;
  /**
   * Wraps a side effect of your own, or anything that is not deterministic. The result must be JSON; it is recorded once.
   *
   * @throws what `work` threw; an error marked `retryable` is tried again first. EFFECT_IN_DOUBT when an irreversible one
   * may have happened.
   */
  readonly step: <T>(
    name: string,
    work: (attempt: { number: number; key: string; signal: AbortSignal }) => Promise<T>,
    options?: StepOptions,
  ) => Promise<T>;
  /**
   * Runs `work` for each item, a few at a time, and gives the results in the order of the items. What `work` awaits are
   * durable steps as everywhere; the result of each item is recorded. All items come to their end, also when some fail;
   * when the run is resumed, only those that failed are done again.
   *
   * @throws ITEMS_FAILED when an item failed; FLOW_INVALID for more than 10,000 items.
   *
   * @example
   * const summaries = await map(articles, (article) => ai.text("summarise", { instructions, send: { text: article } }));
   */
  readonly map: <Item, Result>(
    items: readonly Item[],
    work: (item: Item, index: number) => Promise<Result>,
    options?: MapOptions,
  ) => Promise<Result[]>;
  /** Waits; the time to wake survives restarts, and a wait of months costs one row. */
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
  /** Default: six tries over about a minute; one for an irreversible step. */
  readonly retry?: RetryPolicy;
  /**
   * `irreversible`: what the step does cannot be taken back. Its intent is recorded first and it runs at most once; when it
   * is not known whether it happened, the run stops as `in_doubt` and asks a person.
   */
  readonly effect?: "irreversible";
}

/**
 * What a flow does when a budget has no room for a call. Tried in the order that the budget lists them.
 * - `cheaper`: ask the model `cheaperModel` instead.
 * - `batch`: ask in the batch lane, at about half the price.
 * - `wait`: wait until the next day or month of the budget; nothing for a budget of the run.
 * - `ask`: ask a person, who may let this call pass or refuse it.
 * - `stop`: fail with BUDGET_EXCEEDED. Stands at the end in any case.
 */
export type BudgetStep = "cheaper" | "batch" | "wait" | "ask" | "stop";

/** Limits of money for a flow's AI calls, in US dollars. The most that a call can cost is set aside before it is sent. */
export interface Budget {
  readonly perRunUsd?: number;
  /** A day of UTC. */
  readonly perDayUsd?: number;
  /** A month of UTC. */
  readonly perMonthUsd?: number;
  /** Default: `["stop"]`. */
  readonly whenSpent?: readonly BudgetStep[];
  /** Name of a configured model for `cheaper`. */
  readonly cheaperModel?: string;
  /** Whether models whose price is unknown may be asked all the same; they count as nothing. Default: false. */
  readonly allowUnknownPrice?: boolean;
}

/** Who goes first when runs wait for room: all `interactive` runs before `standard` ones, those before `batch`. */
export type Priority = "interactive" | "standard" | "batch";

/** How many runs of a flow may be under way at once, over all processes. A waiting run that is parked does not count. */
export interface ConcurrencyLimit<Payload> {
  /** At least 1. */
  readonly limit: number;
  /** Counts runs of the same key apart from others, such as those of one customer. Default: all runs of the flow together. */
  readonly key?: (payload: Payload) => string;
}

/** How many runs of a flow may begin in any window of time, over all processes. */
export interface StartRate {
  /** At least 1. */
  readonly limit: number;
  readonly per: Duration;
}

/** What {@link flow} takes. */
export interface FlowOptions<Payload, Output> {
  /** `a-z 0-9 -`, starting with a letter; unique in the application. */
  readonly name: string;
  /** One sentence for the dashboard. */
  readonly description?: string;
  readonly trigger: Trigger<Payload>;
  readonly budget?: Budget;
  /** What happens to personal values in its AI calls, by kind. Default: all are masked. */
  readonly masking?: MaskPolicy;
  /** Classes of the data that it handles, such as `health`. Only models that may be sent all of them are asked. Default: none. */
  readonly dataClasses?: readonly string[];
  /** Regions whose models may be asked, such as `["eu"]`. Default: all. */
  readonly regions?: readonly string[];
  /** Default: `standard`. */
  readonly priority?: Priority;
  /** Default: none but the process' own. */
  readonly concurrency?: ConcurrencyLimit<Payload>;
  /** Default: none. */
  readonly rate?: StartRate;
  /** Minutes of a person's work that one successful run replaces; for the savings figures. Default: 0. */
  readonly minutesSaved?: number;
  /** The durable function. Ordinary code between awaited steps must be deterministic: it runs again on replay. */
  run(payload: Payload, context: FlowContext): Promise<Output>;
}

/** A declared flow. */
export interface Flow<Payload = unknown, Output = unknown> extends Omit<FlowOptions<Payload, Output>, "run"> {
  readonly description: string;
  readonly minutesSaved: number;
  readonly priority: Priority;
  /** Digest of the flow's code; stored on each run, so that a run of an older version can be told. */
  readonly version: string;
  /** The durable function that was declared as `run`. For the engine. */
  execute(payload: Payload, context: FlowContext): Promise<Output>;
  /**
   * Inside another flow: runs this one as a durable sub-flow, with a run of its own, and gives its output.
   *
   * @throws OUTSIDE_RUN; FLOW_UNKNOWN when it is not in the configuration; PAYLOAD_INVALID; SUBFLOW_FAILED.
   */
  run(payload: Payload): Promise<Output>;
  /** Inside another flow: begins a run of this one and does not wait for it. @throws OUTSIDE_RUN, FLOW_UNKNOWN, PAYLOAD_INVALID */
  start(payload: Payload): Promise<{ readonly runId: string }>;
}

/** A flow of any payload, for lists of flows. Its payload is known to fit once the trigger's schema has checked it. */
export interface AnyFlow extends Omit<Flow, "execute" | "run" | "start" | "concurrency"> {
  readonly concurrency?: ConcurrencyLimit<never>;
  execute(payload: never, context: FlowContext): Promise<unknown>;
}

/**
 * Declares a flow: a named, durable function started by a trigger.
 *
 * @throws FLOW_INVALID when the name or a limit is not usable.
 */
export function flow<Payload, Output>(options: FlowOptions<Payload, Output>): Flow<Payload, Output> {
  const { name, concurrency, rate } = options;
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    throw new SluiceError("FLOW_INVALID", {
      message: `flow name ${JSON.stringify(name)} is not usable`,
      hint: "Use lower-case letters, digits and hyphens, starting with a letter, at most 63 characters.",
    });
  }
  refuseLimit(name, "concurrency.limit", concurrency?.limit);
  refuseLimit(name, "rate.limit", rate?.limit);
  if (rate) toMs(rate.per);
  const begin = async (payload: Payload, wait: boolean): Promise<Json> =>
    currentRun(`flow ${name}`).subflow(name, payload as Json, { wait });
  return {
    description: "",
    minutesSaved: 0,
    priority: "standard",
    ...options,
    version: createHash("sha256").update(options.run.toString()).digest("hex").slice(0, 12),
    execute: (payload, context) => options.run(payload, context),
    run: async (payload) => (await begin(payload, true)) as Output,
    start: async (payload) => (await begin(payload, false)) as { runId: string },
  };
}

function refuseLimit(flowName: string, field: string, limit: number | undefined): void {
  if (limit === undefined || (Number.isInteger(limit) && limit >= 1)) return;
  throw new SluiceError("FLOW_INVALID", {
    message: `${field} of flow ${flowName} is ${limit}, expected a whole number of at least 1`,
    hint: "To stop a flow, take it out of the configuration.",
  });
}
