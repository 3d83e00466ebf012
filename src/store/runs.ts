import type { Keyring } from "./content-keys.ts";
import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import { reopenRuns } from "./reopen-runs.ts";
import { outputPlace, type Parking, type RunOutcome, type RunWriter } from "./run-changes.ts";
import { createRunFigures } from "./run-figures.ts";
import { maxPageSize, type Page, query, type Scope, toPage } from "./scope.ts";
import { isContentLost, openContent } from "./sealed.ts";
import type { RunStatus } from "./tables.ts";

/** One execution of a flow for one event. */
export interface RunRecord {
  readonly id: string;
  readonly flow: string;
  /** Digest of the flow's code when the run began; null while it is queued. */
  readonly flowVersion: string | null;
  readonly eventId: string;
  readonly status: RunStatus;
  /** The process that runs it, or ran it last. */
  readonly executor: string | null;
  /** How often another process had to take it over. */
  readonly recoveries: number;
  /** How often a person resumed it. */
  readonly resumes: number;
  /** Whether it is executed against the sandbox's stand-ins. */
  readonly sandbox: boolean;
  readonly output: Json;
  readonly error: Json;
  /** Path of the step that failed the run; null when the flow's own code did. */
  readonly failedStep: string | null;
  /** The same for failures of one kind; null for a run that has not failed. */
  readonly fingerprint: string | null;
  /** The run that started this one as a sub-flow, and the path of the step that did; null when a trigger did. */
  readonly parentRunId: string | null;
  readonly parentPath: string | null;
  /** Numbers of the steps from which migrations let it go on anew. */
  readonly cuts: readonly number[];
  /** 0 interactive, 1 standard, 2 batch. */
  readonly priority: number;
  /** When a parked run goes on by itself. */
  readonly wakeAt: Date | null;
  readonly queuedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Whether a person sent its event to try the flow out. */
  readonly sample: boolean;
  /** Repeats of its delivery that were suppressed. */
  readonly duplicates: number;
  /** Whether the simulated model answered one of its AI calls. */
  readonly simulated: boolean;
}

/** Which runs to list. */
export interface RunFilter {
  readonly flow?: string | undefined;
  readonly status?: readonly RunStatus[] | undefined;
  /** Only failures of one kind. */
  readonly fingerprint?: string | undefined;
  /** Only sub-flows of one run. */
  readonly parent?: string | undefined;
  /** Only runs older than this id. */
  readonly before?: string | undefined;
  /** Default: 50, at most 200. */
  readonly limit?: number | undefined;
}

/** Runs of one workspace. */
export function createRunStore(scope: Scope, write: RunWriter) {
  return { ...createRunQueries(scope), ...createRunFigures(scope), ...createRunChanges(scope, write) };
}

/** Opens what is stored of a run. */
function createReader(keyring: Keyring) {
  const toRecord = ({ contentKey, ...run }: StoredRun): RunRecord => {
    const key = contentKey === null || run.output === null ? null : keyring.openKey(contentKey);
    return { ...run, output: openContent(key, run.output, outputPlace(run.id)) };
  };
  const toListed = (row: StoredRun): RunRecord => {
    try {
      return toRecord(row);
    } catch (thrown) {
      if (isContentLost(thrown)) return toRecord({ ...row, output: null });
      throw thrown;
    }
  };
  return { toRecord, toListed };
}

function createRunQueries({ db, workspaceId, keyring }: Scope) {
  const { toRecord, toListed } = createReader(keyring);
  const own = () =>
    db
      .selectFrom("runs")
      .innerJoin("events", (join) =>
        join.onRef("events.workspaceId", "=", "runs.workspaceId").onRef("events.id", "=", "runs.eventId"),
      )
      .selectAll("runs")
      .select(["events.sample", "events.duplicates", "events.contentKey"])
      .select((eb) =>
        eb
          .exists(
            eb
              .selectFrom("aiCalls")
              .select("aiCalls.id")
              .whereRef("aiCalls.workspaceId", "=", "runs.workspaceId")
              .whereRef("aiCalls.runId", "=", "runs.id")
              .where("aiCalls.simulated", "=", true),
          )
          .$castTo<boolean>()
          .as("simulated"),
      )
      .where("runs.workspaceId", "=", workspaceId);

  return {
    find: (id: string): Promise<RunRecord | null> =>
      query(async () => {
        const row = await own().where("runs.id", "=", id).executeTakeFirst();
        return row ? toRecord(row) : null;
      }),

    /** Runs, the newest first. An output that cannot be read is null here: it must not hide the others. `find` tells why. */
    list: (filter: RunFilter): Promise<Page<RunRecord>> =>
      query(async () => {
        const limit = Math.min(Math.max(1, filter.limit ?? 50), maxPageSize);
        const rows = await own()
          .$if(filter.flow !== undefined, (q) => q.where("runs.flow", "=", filter.flow ?? ""))
          .$if(filter.status !== undefined, (q) => q.where("runs.status", "=", sql<RunStatus>`any(${filter.status})`))
          .$if(filter.fingerprint !== undefined, (q) => q.where("runs.fingerprint", "=", filter.fingerprint ?? ""))
          .$if(filter.parent !== undefined, (q) => q.where("runs.parentRunId", "=", filter.parent ?? ""))
          .$if(filter.before !== undefined, (q) => q.where("runs.id", "<", filter.before ?? ""))
          .orderBy("runs.id", "desc")
          .limit(limit + 1)
          .execute();
        return toPage(rows.map(toListed), limit);
      }),

    /** The sub-flow that a step started; null when it did not. */
    ofStep: (parentRunId: string, parentPath: string): Promise<RunRecord | null> =>
      query(async () => {
        const row = await own()
          .where("runs.parentRunId", "=", parentRunId)
          .where("runs.parentPath", "=", parentPath)
          .orderBy("runs.id", "desc")
          .executeTakeFirst();
        return row ? toRecord(row) : null;
      }),

    /** Sub-flows of a run that have not ended, which began with it: those that were started without waiting live on. */
    unfinishedChildren: (parentRunId: string): Promise<string[]> =>
      query(async () => {
        const rows = await db
          .selectFrom("runs")
          .innerJoin("steps", (join) =>
            join
              .onRef("steps.workspaceId", "=", "runs.workspaceId")
              .onRef("steps.runId", "=", "runs.parentRunId")
              .onRef("steps.path", "=", "runs.parentPath"),
          )
          .select("runs.id")
          .where("runs.workspaceId", "=", workspaceId)
          .where("runs.parentRunId", "=", parentRunId)
          .where("runs.finishedAt", "is", null)
          // A step that began a run without waiting for it has succeeded.
          .where("steps.status", "!=", "succeeded")
          .execute();
        return rows.map((row) => row.id);
      }),
  };
}

type StoredRun = RunRecord & { readonly contentKey: string | null };

/** Most runs that one statement reopens. */
const reopenPage = 500;

function createRunChanges({ db, workspaceId }: Scope, write: RunWriter) {
  const change = { workspaceId, outcome: null, parking: null, parentRunId: null };
  return {
    /** Sets the state of an unfinished run, and forgets where it was to be resumed. False when the epoch is not its own any more. */
    setStatus: (id: string, status: "running" | "waiting", epoch: number): Promise<boolean> =>
      write({ ...change, id, status, epoch, at: new Date() }),

    /**
     * Gives a waiting run up until its time or a signal comes; nothing of it need stay in memory. Queues it at once when a
     * signal has come that its execution has not seen.
     */
    park: (id: string, parking: Parking, epoch: number): Promise<boolean> =>
      write({ ...change, id, status: "waiting", parking, epoch, at: new Date() }),

    /**
     * Ends an unfinished run, and lets the run go on that waits for it. False when it had ended already, for the first
     * outcome stands, or when the execution that says so is not the run's own any more.
     */
    finish: (
      id: string,
      outcome: RunOutcome,
      { epoch, parentRunId }: { readonly epoch: number | null; readonly parentRunId: string | null },
    ): Promise<boolean> =>
      write({ ...change, id, status: outcome.status, outcome, epoch, parentRunId, at: new Date() }),

    /**
     * Makes an ended run unfinished again and queues it to be resumed; `failedStep` stays until it goes on. False when it
     * had not ended, or another caller was first.
     *
     * @param from another step of the flow's own to go on from; what is recorded from it on is forgotten and done anew, as
     *   other calls with other keys.
     */
    reopen: (id: string, from: number | null = null): Promise<boolean> =>
      query(async () => {
        const which = sql`id = ${id} and status in ('failed', 'cancelled', 'in_doubt') for update`;
        return (await reopenRuns({ db, workspaceId }, which, from)).length === 1;
      }),

    /**
     * The same for failures of one kind, the newest first, each at most once. One that somebody else is just resuming is
     * left to them. Gives how many.
     *
     * @param runIds only these of the group; null: all.
     */
    reopenGroup: async (fingerprint: string, runIds: readonly string[] | null, limit: number): Promise<number> => {
      let count = 0;
      let before: string | null = null;
      while (count < limit) {
        const which = sql`fingerprint = ${fingerprint} and status in ('failed', 'in_doubt')
          and (${runIds}::text[] is null or id = any(${runIds}::text[])) and (${before}::text is null or id < ${before}::text)
          order by id desc limit ${Math.min(reopenPage, limit - count)} for update skip locked`;
        const ids: string[] = await query(() => reopenRuns({ db, workspaceId }, which, null));
        if (ids.length === 0) break;
        count += ids.length;
        before = ids.reduce((least, id) => (id < least ? id : least));
      }
      return count;
    },

    /** Lets parked runs of a flow go on whose code was another one, so that those show that do not fit it any more. Gives how many. */
    recheck: (flow: string, version: string): Promise<number> =>
      query(async () => {
        const { numAffectedRows } = await sql`
          update sluice.runs set status = 'queued', wake_at = null
          where workspace_id = ${workspaceId} and flow = ${flow} and status = 'waiting' and executor is null
            and flow_version <> ${version}`.execute(db);
        return Number(numAffectedRows ?? 0);
      }),
  };
}
