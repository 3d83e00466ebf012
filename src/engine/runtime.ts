import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { DBOSExecutor } from "@dbos-inc/dbos-sdk/internal/dbos-executor";
import { dbRetryConfig } from "@dbos-inc/dbos-sdk/internal/utils";
import { WorkflowQueue } from "@dbos-inc/dbos-sdk/internal/wfqueue";
import { SluiceError, type Log } from "../core/index.ts";
import { createBatch, engineSchema, type Pool } from "../store/index.ts";
import { groupCheckpoints as group } from "./checkpoints.ts";
import { pause } from "./timer.ts";

/**
 * The durable functions beneath the engine: DBOS, kept to what the engine uses. DBOS is one per process, so only one
 * engine can be open at a time.
 */
export interface DurableRuntime {
  /**
   * Begins a run's durable function in this process. Resolves when it is recorded; false when one of that id exists.
   */
  start(workspaceId: string, runId: string): Promise<boolean>;
  /**
   * Goes on with a run in this process, wherever it was left: what is recorded is replayed. False when nothing is.
   *
   * @param mayGoOn asked before each try: whether the run is still this process' own, which may have been frozen in between.
   */
  resume(runId: string, mayGoOn: () => Promise<boolean>): Promise<boolean>;
  /** Forgets what was recorded of a run from a step on. It is not executed until it is resumed. */
  forget(runId: string, fromStep: number): Promise<void>;
  /** Stops a run: whatever executes it records nothing more. */
  cancel(runId: string): Promise<void>;
  close(): Promise<void>;
}

/** What {@link openRuntime} takes. */
export interface RuntimeOptions {
  readonly pool: Pool;
  /** Identity of this process; new with each start. */
  readonly executor: string;
  readonly log: Log;
  /** Whether concurrent runs share the commits of their checkpoints; see `checkpoints.ts`. */
  readonly groupCheckpoints: boolean;
  /** The durable function of a run. */
  readonly run: (workspaceId: string, runId: string) => Promise<void>;
}

/** DBOS recovers and dequeues only runs of the same version. Ours is fixed: what a flow's code was is on the run. */
const applicationVersion = "1";

/** Behind every step that a run can have: DBOS numbers them with an `integer`. */
const afterLastStep = 2 ** 31 - 1;

/** How often something is tried that an execution that is just ending can be in the way of, and how much longer each time. */
const mostTries = 20;
const againMs = 2;

/** DBOS would wait up to a minute between tries while the database is away, longer than an outage may last. */
const longestRetrySeconds = 1;

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

async function launch({ pool, executor, log, groupCheckpoints, run }: RuntimeOptions): Promise<DurableRuntime> {
  DBOS.setConfig({
    name: "sluice",
    systemDatabasePool: pool,
    systemDatabaseSchemaName: engineSchema,
    applicationVersion,
    executorID: executor,
    enableOTLP: false,
    logger: toDbosLogger(log),
    serializer: { name: () => "json", stringify: (value) => JSON.stringify(value) ?? "null", parse: parseText },
  });
  const durable = DBOS.registerWorkflow(run, { name: "run" });
  await DBOS.launch();
  dbRetryConfig.maxBackoffSec = longestRetrySeconds;
  const grouping = groupCheckpoints ? await startGrouping(pool, log) : null;
  const takeOn = createTakeOn(executor);
  // A run may cause any of these, and DBOS would take each as a step of it.
  const outside = AsyncLocalStorage.snapshot();

  return {
    start: (workspaceId, runId) =>
      outside(async () => {
        const handle = await DBOS.startWorkflow(durable, { workflowID: runId })(workspaceId, runId);
        return isExecutedHere(handle);
      }),
    resume: (runId, mayGoOn) =>
      outside(unlessAbsent<boolean>, false, async () => {
        for (let tries = 1; tries <= mostTries; tries += 1) {
          if (await takeOn(runId)) return true;
          const state = await DBOS.getWorkflowStatus(runId);
          if (!(await mayGoOn())) return false;
          // It is over: the flow's own code failed after its last step.
          if (state?.status === "SUCCESS" || state?.status === "ERROR") await forget(runId, afterLastStep);
          // An execution that is just ending holds its row for a moment, and claims pass over such rows.
          else await pause(tries * againMs);
        }
        return false;
      }),
    forget: (runId, startStep) => outside(unlessAbsent<void>, undefined, () => forget(runId, startStep)),
    cancel: (runId) => outside(() => DBOS.cancelWorkflow(runId)),
    async close() {
      grouping?.close();
      await DBOS.shutdown({ deregister: true });
      open = false;
    },
  };
}

/**
 * Takes on unfinished durable functions at once, where DBOS would have a queue polled: they go into a queue that only
 * this process knows and that nobody polls, are claimed from it with a new token of ownership, and begin. Many share the
 * three statements.
 */
function createTakeOn(executor: string): (runId: string) => Promise<boolean> {
  const queue = new WorkflowQueue(WorkflowQueue.recordFromParams(executor, {}), false);
  return createBatch<string, boolean>({
    // One at a time: two would claim what the other one queued.
    inFlight: 1,
    limit: 50,
    async flush(runIds) {
      await DBOS.resumeWorkflows([...runIds], { queueName: executor });
      const owner = randomUUID();
      const { systemDatabase } = dbos();
      const claimed = await systemDatabase.findAndMarkStartableWorkflows(
        queue,
        executor,
        applicationVersion,
        undefined,
        0,
        0,
        owner,
      );
      // One that was passed over in an earlier flush may be among the claimed: it is asked for again.
      const asked = claimed.filter((runId) => runIds.includes(runId));
      const statuses = await systemDatabase.getWorkflowStatuses(asked);
      for (const status of statuses.values()) isExecutedHere(await dbos().executeDequeuedWorkflow(status, owner));
      return runIds.map((runId) => claimed.includes(runId));
    },
  });
}

/** Where runs lie that were rewound and are not yet taken on; nobody claims from it. */
const aside = "aside";

/** Forgets what was recorded from a step on, and lays the run aside until it is taken on. */
async function forget(runId: string, startStep: number): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      // Only what is over can be rewound.
      await DBOS.cancelWorkflow(runId);
      await DBOS.rewindWorkflow(runId, { startStep, queueName: aside });
      return;
    } catch (thrown) {
      // An execution that is just ending may have moved it on in between.
      if (isAbsence(thrown) || tries === mostTries) throw thrown;
    }
  }
}

async function startGrouping(pool: Pool, log: Log): Promise<{ close(): void }> {
  try {
    return group(dbos().systemDatabase, pool, { schema: engineSchema, log });
  } catch (error) {
    await DBOS.shutdown({ deregister: true });
    throw error;
  }
}

/** The inside of DBOS, of which it exports more than its own interface: for what that has no way to do. */
function dbos(): DBOSExecutor {
  if (DBOSExecutor.globalInstance) return DBOSExecutor.globalInstance;
  throw new SluiceError("SHUTTING_DOWN", { message: "the process is ending" });
}

async function unlessAbsent<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (isAbsence(thrown)) return otherwise;
    throw thrown;
  }
}

function isAbsence(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.constructor.name === "DBOSNonExistentWorkflowError";
}

/** A run's outcome is in its own row; what DBOS makes of the execution is nobody's business. */
function isExecutedHere(handle: { getResult(): Promise<unknown> }): boolean {
  if (handle.constructor.name !== "InvokedHandle") return false;
  handle.getResult().catch(ignore);
  return true;
}

/** Runs work as the next recorded operation of the calling run. What was recorded is given back without running it. */
export function recordOnce<T>(name: string, work: (sequence: number) => Promise<T>): Promise<T> {
  return DBOS.runStep(
    () => {
      const status = DBOS.stepStatus;
      if (!status) throw new SluiceError("INTERNAL", { message: `step ${name} has no place in its run` });
      return work(status.stepID);
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
