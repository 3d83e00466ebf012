import {
  type Ai,
  type AnyFlow,
  Cleanup,
  createIdentifier,
  type EffectRuling,
  type Json,
  type Log,
  type RulingWord,
  type ServiceKey,
  SluiceError,
} from "../core/index.ts";
import {
  type Acceptance,
  createPool,
  type Pool,
  type ProcessRole,
  type RunRecord,
  type Store,
} from "../store/index.ts";
import { Attempts } from "./attempts.ts";
import { createDecisions } from "./decisions.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Executions } from "./executions.ts";
import type { FlowEvent, RunHost } from "./host.ts";
import { createIntake } from "./intake.ts";
import { Pace } from "./pace.ts";
import { type Presence, startPresence } from "./presence.ts";
import { QueueGauge } from "./queue-gauge.ts";
import { executeRun } from "./run.ts";
import { openRuntime } from "./runtime.ts";
import { ExpectedSignals } from "./signals.ts";
import { Slots } from "./slots.ts";
import { pause } from "./timer.ts";

/** What {@link createEngine} takes. */
export interface EngineOptions {
  readonly store: Store;
  /** Address of the same database; the engine has connections of its own. */
  readonly databaseUrl: string;
  readonly flows: readonly AnyFlow[];
  readonly ai: Ai;
  /** Put into every run, found by key. */
  readonly services: readonly { readonly key: ServiceKey<unknown>; readonly service: unknown }[];
  readonly log: Log;
  /** `web`: accepts events and executes none. Default: `all`. */
  readonly role?: ProcessRole;
  /** Most runs that this process executes at once. Default: 100. */
  readonly concurrency?: number;
  /** Whether concurrent runs share the commits of their checkpoints. Default: true. */
  readonly groupCheckpoints?: boolean;
  /** Most runs that may be queued; beyond, events are refused. Default: 100,000. */
  readonly maxQueued?: number;
}

/** What a person says about an effect in doubt. */
export interface Ruling extends Omit<EffectRuling, "at"> {
  /** Idempotency key of the effect. */
  readonly key: string;
  readonly word: RulingWord;
  /** What the step is to give when the effect was done. Default: null. */
  readonly output?: Json;
}

/** Durable execution of flows. */
export interface Engine {
  /** This process in the records. */
  readonly executor: string;
  /**
   * Accepts an event: commits it with its run, which begins at once while there is room, and is queued otherwise.
   *
   * @throws QUEUE_FULL; DATABASE_UNAVAILABLE when it could not be committed.
   */
  accept(workspaceId: string, event: FlowEvent): Promise<Acceptance>;
  /**
   * Resumes an ended run: what succeeded before the failed step is kept, the failed step is done again; of a map only the
   * items that failed.
   *
   * @throws RUN_UNKNOWN; RUN_NOT_RESUMABLE when it has not failed, been cancelled or come into doubt.
   */
  resume(workspaceId: string, runId: string): Promise<void>;
  /**
   * Lets a run that failed because its flow was changed go on under the present code: what is recorded before the step
   * that does not fit is kept, and everything from it on is done anew, effects too.
   *
   * @throws RUN_UNKNOWN; RUN_NOT_MIGRATABLE when it did not fail with FLOW_CHANGED.
   */
  migrate(workspaceId: string, runId: string): Promise<void>;
  /** Lets parked runs go on that began under other code of their flow, so that those show that do not fit it. Gives how many. */
  recheck(workspaceId: string, flow: string): Promise<number>;
  /**
   * Records a person's word about an effect in doubt, and resumes its run.
   *
   * @throws RUN_UNKNOWN; EFFECT_UNKNOWN; EFFECT_NOT_IN_DOUBT when it is not, or another person was first.
   */
  rule(workspaceId: string, runId: string, ruling: Ruling): Promise<void>;
  /** Stops an unfinished run before its next step, and its sub-flows. @throws RUN_UNKNOWN; RUN_NOT_CANCELLABLE when it has ended. */
  cancel(workspaceId: string, runId: string): Promise<void>;
  /**
   * Gives a run a value from outside; one that waits for it goes on. False when it had one of that name already.
   *
   * @throws RUN_UNKNOWN; REQUEST_INVALID when the value does not fit and the run is in memory here.
   */
  signal(workspaceId: string, runId: string, name: string, value: Json): Promise<boolean>;
  /** The run once it has ended; null when it has not within the time, or the signal fired. */
  waitForEnd(workspaceId: string, runId: string, timeoutMs: number, signal: AbortSignal): Promise<RunRecord | null>;
  /** How many runs are queued, as far as this process knows. */
  readonly queued: number;
  /** Takes no more runs, and gives back those under way, for other processes or the next start. */
  close(): Promise<void>;
}

/** Best size measured for DBOS's pool: 387 flows/s at 10, 319 at 20, 291 at 40. */
const poolSize = 10;
/** How long an end in good order waits for what steps have under way: half of what containers are given to stop. */
const drainMs = 5000;
/** How often an ended run is looked for that another process executes. */
const endPollMs = 250;

/**
 * Starts the engine: takes over the runs of dead processes and executes queued ones.
 *
 * @throws DATABASE_UNAVAILABLE; CONFIG_INVALID when an engine is open in this process already.
 */
export function createEngine(options: EngineOptions): Promise<Engine> {
  return Cleanup.during((cleanup) => openEngine(options, cleanup));
}

async function openEngine(options: EngineOptions, cleanup: Cleanup): Promise<Engine> {
  const { store, log, role = "all" } = options;
  const executor = createIdentifier("exe", new Date());
  const closing = new AbortController();
  const ends = new EventTarget();
  const flows = new Map(options.flows.map((flow) => [flow.name, flow]));
  const executions = new Executions();
  const attempts = new Attempts();
  const pace = new Pace();
  const slots = new Slots(role === "web" ? 0 : (options.concurrency ?? 100), pace);
  const gauge = new QueueGauge(options.maxQueued ?? 100_000);
  const pool = openPool(options);
  cleanup.add(() => pool.end());
  let dispatcher: Dispatcher | null = null;
  const presence = await startPresence({
    store,
    executor,
    role,
    flows: [...flows.keys()],
    log,
    onWork: () => dispatcher?.wake(),
    onTakenForDead: async () => dispatcher?.stopNotOwned(),
  });
  cleanup.add(() => leave(store, executor, presence));
  const runtime = await openRuntime({
    pool,
    executor,
    log,
    groupCheckpoints: options.groupCheckpoints ?? true,
    run: async (_workspaceId, runId) => dispatcher?.execute(runId, (run) => executeRun(host, run)),
  });
  cleanup.add(() => runtime.close());
  cleanup.add(() => {
    closing.abort(new SluiceError("SHUTTING_DOWN", { message: "the process is ending" }));
    for (const id of executions.ids) executions.find(id)?.close();
  });
  const dispatching = { store, runtime, executor, role, flows, slots, executions, gauge, log };
  const started = new Dispatcher({
    ...dispatching,
    closing: closing.signal,
    confirmAlive: () => presence.confirm(),
    hasOthers: () => presence.hasOthers,
  });
  dispatcher = started;
  cleanup.add(() => attempts.drain(drainMs));
  cleanup.add(() => started.close());
  const accept = createIntake({ store, executor, flows, dispatcher, gauge, pace });
  const host: RunHost = {
    executor,
    store,
    flows,
    services: new Map(options.services.map(({ key, service }) => [key.name, service])),
    ai: options.ai,
    signals: new ExpectedSignals(),
    executions,
    slots,
    attempts,
    runtime,
    presence,
    log,
    closing: closing.signal,
    accept,
    onEnded: (runId) => void ends.dispatchEvent(new Event(runId)),
    onRest: (run) => started.onRest(run),
    onProgress: (run) => started.onProgress(run),
    onQueued: () => started.notifyQueued(),
  };
  started.wake();
  return {
    executor,
    accept,
    ...createDecisions({ store, host }),
    waitForEnd: (workspaceId, runId, timeoutMs, aborted) =>
      waitForEnd({ store, ends }, { workspaceId, runId, timeoutMs, aborted }),
    get queued() {
      return gauge.length;
    },
    close: () => cleanup.close(),
  };
}

function openPool({ databaseUrl, log }: EngineOptions): Pool {
  return createPool({
    url: databaseUrl,
    size: poolSize,
    applicationName: "sluice-engine",
    bigintAsNumber: false,
    onError: () => log.warn("database.connection_lost"),
  });
}

/** Gives back what is under way, and says that this process has ended. While the database is away, others find that out. */
async function leave(store: Store, executor: string, presence: Presence): Promise<void> {
  try {
    await store.dispatch.release(executor);
    await store.processes.end(executor);
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === "DATABASE_UNAVAILABLE")) throw error;
  } finally {
    await presence.close();
  }
}

async function waitForEnd(
  { store, ends }: { readonly store: Store; readonly ends: EventTarget },
  wait: { workspaceId: string; runId: string; timeoutMs: number; aborted: AbortSignal },
): Promise<RunRecord | null> {
  const deadline = performance.now() + wait.timeoutMs;
  const runs = store.workspace(wait.workspaceId).runs;
  const endedHere = new AbortController();
  ends.addEventListener(wait.runId, () => endedHere.abort(), { once: true, signal: endedHere.signal });
  try {
    for (;;) {
      const run = await runs.find(wait.runId);
      if (run?.finishedAt) return run;
      const leftMs = deadline - performance.now();
      if (wait.aborted.aborted || leftMs <= 0) return null;
      await pause(Math.min(leftMs, endPollMs), AbortSignal.any([wait.aborted, endedHere.signal]));
    }
  } finally {
    endedHere.abort();
  }
}
