import { currentOwnerXid } from "@dbos-inc/dbos-sdk/internal/context";
import {
  isPgDatabaseError,
  retriablePostgresException,
  type SystemDatabase,
} from "@dbos-inc/dbos-sdk/internal/system_database";
import { globalParams } from "@dbos-inc/dbos-sdk/internal/utils";
import { type Log, SluiceError } from "../core/index.ts";
import { createBatch, type Pool } from "../store/index.ts";
import {
  type Beginning,
  beginStatement,
  type Ending,
  endStatement,
  loadStatement,
  type OperationRecord,
  type RecordedResults,
  recordStatement,
  type Statement,
  type WorkflowStatus,
} from "./checkpoint-statements.ts";
import { pause } from "./timer.ts";

/*
 * DBOS commits each checkpoint by itself. Here the checkpoints of concurrent runs share a statement and a commit; each
 * caller still waits for that commit. One rule keeps DBOS' meaning: a batch writes only what is plain, that is, rows
 * that nobody else has and whose workflow the caller owns. Whatever it did not write (owned by another execution,
 * cancelled, there already, refused by Postgres) goes through DBOS' own method in the caller's own context, which
 * then gives the answer or the error.
 */

/** The one version whose inner methods and tables are known here; `checkpoints.test.ts` compares both ways. */
const knownVersion = "5.3.0";

/** The methods that are replaced on the one system database of the process. */
const replaced = [
  "initWorkflowStatus",
  "recordOperationResult",
  "recordWorkflowOutput",
  "recordWorkflowError",
  "checkIfCanceled",
  "getOperationResultAndThrowIfCancelled",
  "cancelWorkflows",
  "registerRunningWorkflow",
] as const;

type Methods = Pick<SystemDatabase, (typeof replaced)[number]>;

/** Most rows of one statement, and how many statements of a kind may be under way at once. */
const batching = { limit: 200, inFlight: 2 } as const;
/** Waits between tries while the database is away. DBOS' own grow to a minute, longer than an outage may last. */
const firstRetryMs = 50;
const longestRetryMs = 1000;

/** What {@link groupCheckpoints} takes. */
export interface CheckpointOptions {
  /** Schema of DBOS' tables. */
  readonly schema: string;
  readonly log: Log;
}

/**
 * Makes a launched DBOS write the checkpoints of concurrent runs together. Runs that this process begins are not asked
 * after by query: nothing can be recorded for them yet, and only this process cancels them (a cancellation by another one
 * is noticed at the next checkpoint). Replayed runs read all that was recorded for them at once.
 *
 * @throws INTERNAL when the installed DBOS is not the version this was written for.
 */
export function groupCheckpoints(
  database: SystemDatabase,
  pool: Pool,
  { schema, log }: CheckpointOptions,
): { close(): void } {
  refuseOtherVersion(database);
  const closing = new AbortController();
  const stock = Object.fromEntries(replaced.map((name) => [name, database[name].bind(database)])) as unknown as Methods;
  const group = <Item, Result>(statement: Statement<Item, Result>): ((item: Item) => Promise<Result | null>) =>
    createBatch({ ...batching, flush: (items) => flush(items, { statement, pool, log, closing: closing.signal }) });
  const executions = new Executions(database, group(loadStatement(schema)));
  Object.assign(
    database,
    replaceWrites(stock, executions, {
      begin: group(beginStatement(schema)),
      record: group(recordStatement(schema)),
      end: group(endStatement(schema)),
    }),
    replaceReads(stock, executions),
  );
  return {
    close() {
      closing.abort(new SluiceError("SHUTTING_DOWN", { message: "the process is ending" }));
      for (const name of replaced) Reflect.deleteProperty(database, name);
    },
  };
}

function refuseOtherVersion(database: SystemDatabase): void {
  const missing = replaced.filter((name) => typeof database[name] !== "function");
  if (globalParams.dbosVersion === knownVersion && missing.length === 0) return;
  throw new SluiceError("INTERNAL", {
    message:
      `checkpoints can be grouped with version ${knownVersion} of @dbos-inc/dbos-sdk, found ${globalParams.dbosVersion}` +
      (missing.length > 0 ? ` without ${missing.join(", ")}` : ""),
    hint: "Install the version that package.json names, or set groupCheckpoints to false.",
  });
}

/** Writes that share commits. Each tells whether it was made; when not, DBOS is to say why. */
interface Writers {
  readonly begin: (item: Beginning) => Promise<boolean | null>;
  readonly record: (item: OperationRecord) => Promise<boolean | null>;
  readonly end: (item: Ending) => Promise<boolean | null>;
}

function replaceWrites(stock: Methods, executions: Executions, { begin, record, end }: Writers): Partial<Methods> {
  return {
    async initWorkflowStatus(status, ownerXid, client, reusePolicy) {
      const plain = client === undefined && isPlainStart(status);
      if (!plain || ownerXid === null || !(await begin({ ...status, ownerXid }))) {
        return stock.initWorkflowStatus(status, ownerXid, client, reusePolicy);
      }
      executions.begin(status.workflowUUID, ownerXid);
      return { status: status.status, shouldExecuteOnThisExecutor: true, serialization: status.serialization };
    },
    async recordOperationResult(...call) {
      const [workflowId, functionId, functionName, checkConflict, startedAt, completedAt, options] = call;
      const ownerXid = currentOwnerXid(workflowId);
      const applicationName = globalParams.appName;
      const operation = { ...options, workflowId, functionId, functionName, startedAt, completedAt, applicationName };
      if (checkConflict && ownerXid !== undefined && (await record({ ...operation, ownerXid }))) return;
      await stock.recordOperationResult(...call);
    },
    async recordWorkflowOutput(workflowId, status, ownerXid = currentOwnerXid(workflowId)) {
      const ending = { workflowId, status: "SUCCESS", output: status.output } as const;
      if (ownerXid !== undefined && (await end({ ...ending, ownerXid }))) return true;
      return stock.recordWorkflowOutput(workflowId, status, ownerXid);
    },
    async recordWorkflowError(workflowId, status, ownerXid = currentOwnerXid(workflowId)) {
      const ending = { workflowId, status: "ERROR", error: status.error } as const;
      if (ownerXid !== undefined && (await end({ ...ending, ownerXid }))) return true;
      return stock.recordWorkflowError(workflowId, status, ownerXid);
    },
  };
}

function replaceReads(stock: Methods, executions: Executions): Partial<Methods> {
  return {
    async checkIfCanceled(workflowId) {
      if (!(await executions.results(workflowId))) await stock.checkIfCanceled(workflowId);
    },
    async getOperationResultAndThrowIfCancelled(workflowId, functionId) {
      const results = await executions.results(workflowId);
      const recorded = results?.get(functionId);
      if (!results || recorded === null) return stock.getOperationResultAndThrowIfCancelled(workflowId, functionId);
      // An execution asks once for each: what it has got need not be held any longer.
      if (recorded) results.set(functionId, null);
      return recorded;
    },
    async cancelWorkflows(workflowIds, cancelChildren) {
      executions.doubt(cancelChildren ? null : workflowIds);
      await stock.cancelWorkflows(workflowIds, cancelChildren);
    },
    registerRunningWorkflow(workflowId, ...queue) {
      const entry = stock.registerRunningWorkflow(workflowId, ...queue);
      const { release } = entry;
      entry.release = () => {
        release();
        executions.forgetEnded(workflowId);
      };
      return entry;
    },
  };
}

/** Started at once by nobody's workflow: what DBOS' table needs besides is the same for all such rows. */
function isPlainStart(status: WorkflowStatus): boolean {
  const special = [
    status.queueName,
    status.timeoutMS,
    status.deadlineEpochMS,
    status.deduplicationID,
    status.queuePartitionKey,
    status.forkedFrom,
    status.parentWorkflowID,
    status.delayUntilEpochMS,
    status.attributes,
    status.scheduleName,
    status.debounceDeadlineEpochMS,
  ];
  return status.status === "PENDING" && status.isDebounced !== true && special.every((value) => value === undefined);
}

interface Execution {
  readonly ownerXid: string;
  /** What was recorded before it began. Null: DBOS has to be asked. */
  readonly results: Promise<RecordedResults | null>;
  /** Whether this process cancelled it, so that its state has to be looked up. */
  doubtful: boolean;
}

/** Executions under way in this process, by workflow. Another one of the same workflow takes the place of the former. */
class Executions {
  readonly #executions = new Map<string, Execution>();
  readonly #database: SystemDatabase;
  readonly #load: (workflowId: string) => Promise<RecordedResults | null>;

  constructor(database: SystemDatabase, load: (workflowId: string) => Promise<RecordedResults | null>) {
    this.#database = database;
    this.#load = load;
  }

  /** Notes an execution that was recorded just now, so nothing else is. */
  begin(workflowId: string, ownerXid: string): void {
    this.#executions.set(workflowId, { ownerXid, results: Promise.resolve(new Map()), doubtful: false });
  }

  /** What was recorded for the calling execution. Null when DBOS has to be asked for that and whether it was cancelled. */
  async results(workflowId: string): Promise<RecordedResults | null> {
    const ownerXid = currentOwnerXid(workflowId);
    if (ownerXid === undefined || !this.#database.checkForRunningWorkflow(workflowId)) return null;
    let execution = this.#executions.get(workflowId);
    if (execution?.ownerXid !== ownerXid) {
      execution = { ownerXid, results: this.#load(workflowId), doubtful: false };
      this.#executions.set(workflowId, execution);
    }
    const results = await execution.results;
    return execution.doubtful ? null : results;
  }

  /** Has the state of workflows looked up from now on; null: of all. */
  doubt(workflowIds: readonly string[] | null): void {
    for (const id of workflowIds ?? this.#executions.keys()) {
      const execution = this.#executions.get(id);
      if (execution) execution.doubtful = true;
    }
  }

  forgetEnded(workflowId: string): void {
    if (!this.#database.checkForRunningWorkflow(workflowId)) this.#executions.delete(workflowId);
  }
}

interface Flush<Item, Result> {
  readonly statement: Statement<Item, Result>;
  readonly pool: Pool;
  readonly log: Log;
  readonly closing: AbortSignal;
}

/**
 * Runs a statement until it succeeds; it may be run twice, also after it was committed unnoticed. Items that Postgres
 * refuses are sought out by halving and get null.
 *
 * @throws SHUTTING_DOWN
 */
async function flush<Item, Result>(
  items: readonly Item[],
  writing: Flush<Item, Result>,
): Promise<readonly (Result | null)[]> {
  const { statement, pool, log, closing } = writing;
  for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
    closing.throwIfAborted();
    try {
      return statement.results(items, await run(pool, statement.text, JSON.stringify(items)));
    } catch (error) {
      if (!isPassing(error)) break;
      log.debug("checkpoints.retried", { count: items.length, retryMs });
    }
    await pause(retryMs * (0.5 + Math.random()), closing);
  }
  if (items.length === 1) return [null];
  const half = Math.ceil(items.length / 2);
  return [...(await flush(items.slice(0, half), writing)), ...(await flush(items.slice(half), writing))];
}

async function run(pool: Pool, text: string, items: string): Promise<unknown[]> {
  const client = await pool.connect();
  try {
    return (await client.query(text, [items])).rows;
  } finally {
    client.release();
  }
}

/**
 * Whether a failure may pass: no connection, or rolled back for the sake of another transaction (40001). A statement too
 * large for the server's memory (53200) is rather halved. @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function isPassing(error: unknown): boolean {
  const code = isPgDatabaseError(error) ? error.code : undefined;
  return code === "40001" || (code !== "53200" && retriablePostgresException(error));
}
