import {
  type Ai,
  type AnyFlow,
  Cleanup,
  createIdentifier,
  type Json,
  type Log,
  parseSchema,
  type ServiceKey,
  SluiceError,
} from "../core/index.ts";
import { createPool, type RunRecord, type Store } from "../store/index.ts";
import { startAdoption } from "./adoption.ts";
import { Dispatcher, InFlight } from "./dispatcher.ts";
import { persist } from "./persist.ts";
import { executeRun, type RunHost } from "./run.ts";
import { openRuntime } from "./runtime.ts";
import { ExpectedSignals } from "./signals.ts";
import { waitUntil } from "./timer.ts";

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
  /** Most runs that this process executes at once. Default: 100. */
  readonly concurrency?: number;
}

/** Durable execution of flows. */
export interface Engine {
  /** This process in the records. */
  readonly executor: string;
  /** Says that a run was accepted, so that it starts at once. */
  notifyQueued(): void;
  /**
   * Resumes an ended run: what succeeded before the failed step is kept, the failed step is done again.
   *
   * @throws RUN_UNKNOWN; RUN_NOT_RESUMABLE when it has not failed, been cancelled or come into doubt.
   */
  resume(workspaceId: string, runId: string): Promise<void>;
  /** Stops an unfinished run before its next step. @throws RUN_UNKNOWN; RUN_NOT_CANCELLABLE when it has ended. */
  cancel(workspaceId: string, runId: string): Promise<void>;
  /**
   * Gives a waiting run a value. False when it had one of that name already.
   *
   * @throws RUN_UNKNOWN; REQUEST_INVALID when the value does not fit and the run waits in this process.
   */
  signal(workspaceId: string, runId: string, name: string, value: Json): Promise<boolean>;
  /** The run once it has ended; null when it has not within the time, or the signal fired. */
  waitForEnd(workspaceId: string, runId: string, timeoutMs: number, signal: AbortSignal): Promise<RunRecord | null>;
  /** Takes no more runs, lets those under way come to the end of their steps for a moment, and leaves the rest to others. */
  close(): Promise<void>;
}

/** Best size measured for DBOS's pool: 387 flows/s at 10, 319 at 20, 291 at 40. */
const poolSize = 10;
/** How often an ended run is looked for that another process executes. */
const endPollMs = 250;
const ended: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled", "in_doubt"]);

/**
 * Starts the engine: takes over the runs of dead processes and executes queued ones.
 *
 * @throws DATABASE_UNAVAILABLE; CONFIG_INVALID when an engine is open in this process already.
 */
export function createEngine(options: EngineOptions): Promise<Engine> {
  return Cleanup.during((cleanup) => openEngine(options, cleanup));
}

async function openEngine(options: EngineOptions, cleanup: Cleanup): Promise<Engine> {
  const { store, log } = options;
  const executor = createIdentifier("exe", new Date());
  const closing = new AbortController();
  const ends = new EventTarget();
  const inFlight = new InFlight();
  const host: RunHost = {
    executor,
    flows: new Map(options.flows.map((flow) => [flow.name, flow])),
    versions: Object.fromEntries(options.flows.map((flow) => [flow.name, flow.version])),
    services: new Map(options.services.map(({ key, service }) => [key.name, service])),
    ai: options.ai,
    signals: new ExpectedSignals(),
    log,
    closing: closing.signal,
    onEnded: (runId) => void ends.dispatchEvent(new Event(runId)),
  };
  const pool = createPool({
    url: options.databaseUrl,
    size: poolSize,
    applicationName: "sluice-engine",
    bigintAsNumber: false,
    onError: () => log.warn("database.connection_lost"),
  });
  cleanup.add(() => pool.end());
  const presence = await keepPresence(store, executor, log);
  cleanup.add(() => presence.close());
  const concurrency = options.concurrency ?? 100;
  const runtime = await openRuntime({
    pool,
    executor,
    concurrency,
    log,
    run: (workspaceId, runId) => inFlight.track(runId, () => executeRun(host, store.workspace(workspaceId), runId)),
  });
  cleanup.add(() => runtime.close());
  cleanup.add(() => closing.abort(new SluiceError("SHUTTING_DOWN", { message: "the process is ending" })));
  const dispatcher = new Dispatcher({
    store,
    runtime,
    executor,
    log,
    inFlight,
    concurrency,
  });
  cleanup.add(() => dispatcher.close());
  const adoption = await startAdoption({ store, dispatcher, executor, log });
  cleanup.add(() => adoption.close());
  dispatcher.wake();

  return {
    executor,
    notifyQueued: () => dispatcher.wake(),
    async resume(workspaceId, runId) {
      await resume(store, workspaceId, runId);
      dispatcher.wake();
    },
    async cancel(workspaceId, runId) {
      await cancel(store, workspaceId, runId);
      host.onEnded(runId);
      dispatcher.wake();
    },
    signal: (workspaceId, runId, name, value) =>
      signal({ store, signals: host.signals }, workspaceId, runId, name, value),
    waitForEnd: (workspaceId, runId, timeoutMs, aborted) =>
      waitForEnd({ store, ends }, { workspaceId, runId, timeoutMs, aborted }),
    close: () => cleanup.close(),
  };
}

/** Holds this process' lock, and takes it again when the connection broke. */
async function keepPresence(store: Store, executor: string, log: Log): Promise<{ close(): Promise<void> }> {
  const closing = new AbortController();
  let held = await store.processes.register(executor, lost);
  function lost(): void {
    log.warn("database.presence_lost", { executor });
    void regain();
  }
  async function regain(): Promise<void> {
    const again = await persist(() => store.processes.register(executor, lost), closing.signal);
    if (closing.signal.aborted) await again.release();
    else held = again;
  }
  return {
    async close() {
      closing.abort();
      await held.release();
    },
  };
}

async function findRun(store: Store, workspaceId: string, runId: string): Promise<RunRecord> {
  const run = await store.workspace(workspaceId).runs.find(runId);
  if (run) return run;
  throw new SluiceError("RUN_UNKNOWN", {
    message: `run "${runId}" does not exist`,
    hint: "List the runs with: sluice runs",
  });
}

async function resume(store: Store, workspaceId: string, runId: string): Promise<void> {
  const run = await findRun(store, workspaceId, runId);
  if (await store.workspace(workspaceId).runs.reopen(runId)) return;
  throw new SluiceError("RUN_NOT_RESUMABLE", {
    message: `run "${runId}" is ${run.status}; only failed, cancelled and in-doubt runs can be resumed`,
    hint:
      run.status === "succeeded" ? "Send the event again to run the flow anew." : "Wait for it to end, or cancel it.",
  });
}

async function cancel(store: Store, workspaceId: string, runId: string): Promise<void> {
  const run = await findRun(store, workspaceId, runId);
  const outcome = { status: "cancelled", output: null, error: null, failedStep: null } as const;
  if (await store.workspace(workspaceId).runs.finish(runId, outcome)) return;
  throw new SluiceError("RUN_NOT_CANCELLABLE", {
    message: `run "${runId}" is ${run.status}; it has ended`,
    hint: "Only queued, running and waiting runs can be cancelled.",
  });
}

async function signal(
  { store, signals }: { readonly store: Store; readonly signals: ExpectedSignals },
  workspaceId: string,
  runId: string,
  name: string,
  value: Json,
): Promise<boolean> {
  await findRun(store, workspaceId, runId);
  const key = `${runId}/${name}`;
  const schema = signals.schemaOf(key);
  if (schema) await parseSchema(schema, value, { code: "REQUEST_INVALID", what: `signal "${name}"` });
  const first = await store.workspace(workspaceId).signals.send(runId, name, value);
  signals.announce(key);
  return first;
}

async function waitForEnd(
  { store, ends }: { readonly store: Store; readonly ends: EventTarget },
  wait: { workspaceId: string; runId: string; timeoutMs: number; aborted: AbortSignal },
): Promise<RunRecord | null> {
  const deadline = Date.now() + wait.timeoutMs;
  const runs = store.workspace(wait.workspaceId).runs;
  const endedHere = new AbortController();
  ends.addEventListener(wait.runId, () => endedHere.abort(), { once: true, signal: endedHere.signal });
  try {
    for (;;) {
      const run = await runs.find(wait.runId);
      if (run && ended.has(run.status)) return run;
      if (wait.aborted.aborted || Date.now() >= deadline) return null;
      const poll = new Date(Math.min(deadline, Date.now() + endPollMs));
      await waitUntil(poll, AbortSignal.any([wait.aborted, endedHere.signal]));
    }
  } finally {
    endedHere.abort();
  }
}
