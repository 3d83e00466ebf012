import { DBOS } from "@dbos-inc/dbos-sdk";
import { SluiceError, type Log } from "../core/index.ts";
import type { Pool } from "../store/index.ts";

/**
 * The durable functions beneath the engine: DBOS, kept to what the engine uses. DBOS is one per process, so only one
 * engine can be open at a time.
 */
export interface DurableRuntime {
  /** Begins a run's durable function, unless one of that id exists. Resolves when it is recorded; `ended` when it is over here. */
  start(workspaceId: string, runId: string): Promise<{ readonly ended: Promise<void> }>;
  /** Where a run's durable function stands: not begun, not over, or over. */
  stateOf(runId: string): Promise<"absent" | "live" | "over">;
  /** Gives an unfinished run to any process that polls; what was recorded is replayed. */
  requeue(runId: string): Promise<void>;
  /** Forgets what was recorded from a step on (null: forgets nothing), and gives the run to any process that polls. */
  rewind(runId: string, fromStep: number | null): Promise<void>;
  /** Stops a run at its next step. */
  cancel(runId: string): Promise<void>;
  close(): Promise<void>;
}

/** What {@link openRuntime} takes. */
export interface RuntimeOptions {
  readonly pool: Pool;
  /** Identity of this process; new with each start. */
  readonly executor: string;
  /** Most requeued and rewound runs that this process executes at once. */
  readonly concurrency: number;
  readonly log: Log;
  /** The durable function of a run. */
  readonly run: (workspaceId: string, runId: string) => Promise<void>;
}

/** Its own schema, apart from ours. */
const schema = "sluice_engine";

/** Requeued and rewound runs. Polled often, because a person who resumed a run is looking at it. */
const queueName = "sluice";
const queuePollMs = 200;

/** Behind every step that a run can have: DBOS numbers them with an `integer`. */
const afterLastStep = 2 ** 31 - 1;

let open = false;

/**
 * Launches DBOS on the given pool.
 *
 * @throws CONFIG_INVALID when an engine is open in this process already.
 */
export async function openRuntime(options: RuntimeOptions): Promise<DurableRuntime> {
  if (open) {
    throw new SluiceError("CONFIG_INVALID", {
      message: "an application is running in this process already",
      hint: "Close it first, or start another process.",
    });
  }
  open = true;
  try {
    return await launch(options);
  } catch (error) {
    open = false;
    throw error;
  }
}

async function launch({ pool, executor, concurrency, log, run }: RuntimeOptions): Promise<DurableRuntime> {
  DBOS.setConfig({
    name: "sluice",
    systemDatabasePool: pool,
    systemDatabaseSchemaName: schema,
    // DBOS recovers and dequeues only runs of the same version. Ours is fixed: what a flow's code was is on the run.
    applicationVersion: "1",
    executorID: executor,
    enableOTLP: false,
    logger: toDbosLogger(log),
    serializer: { name: () => "json", stringify: (value) => JSON.stringify(value) ?? "null", parse: parseText },
  });
  const durable = DBOS.registerWorkflow(run, { name: "run" });
  await DBOS.launch();
  await DBOS.registerQueue(queueName, {
    workerConcurrency: concurrency,
    minPollingIntervalMs: queuePollMs,
    onConflict: "always_update",
  });

  return {
    async start(workspaceId, runId) {
      const handle = await DBOS.startWorkflow(durable, { workflowID: runId })(workspaceId, runId);
      return { ended: handle.getResult().then(ignore, ignore) };
    },
    async stateOf(runId) {
      const status = await DBOS.getWorkflowStatus(runId);
      if (status === null) return "absent";
      return ["PENDING", "ENQUEUED", "DELAYED"].includes(status.status) ? "live" : "over";
    },
    requeue: async (runId) => void (await DBOS.resumeWorkflow(runId, { queueName })),
    async rewind(runId, fromStep) {
      await DBOS.rewindWorkflow(runId, { startStep: fromStep ?? afterLastStep, queueName });
    },
    cancel: (runId) => DBOS.cancelWorkflow(runId),
    async close() {
      await DBOS.shutdown({ deregister: true });
      open = false;
    },
  };
}

/** Runs work as the next recorded operation of the calling run. What was recorded is given back without running it. */
export function recordOnce<T>(
  name: string,
  work: (sequence: number, cancelled: AbortSignal) => Promise<T>,
): Promise<T> {
  return DBOS.runStep(
    () => {
      const status = DBOS.stepStatus;
      if (!status) throw new SluiceError("INTERNAL", { message: `step ${name} has no place in its run` });
      return work(status.stepID, status.cancelSignal);
    },
    { name },
  );
}

function parseText(text: string | null | undefined): unknown {
  return text === null || text === undefined ? null : (JSON.parse(text) as unknown);
}

/** A run that ends otherwise (cancelled, taken over) has said so in its own row. */
function ignore(): void {}

/** DBOS's own lines, at debug level: they may quote what a step threw, so only warnings and errors leave a trace, without text. */
function toDbosLogger(log: Log) {
  return {
    debug: ignore,
    info: ignore,
    warn: () => log.debug("engine.warned"),
    error: (thrown: unknown) => log.warn("engine.failed", { error: thrown instanceof Error ? thrown.name : "message" }),
  };
}
