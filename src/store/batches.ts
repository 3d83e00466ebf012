import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import type { ContentKey } from "./content-keys.ts";
import type { RunKeys } from "./run-keys.ts";
import { isContentLost, openContent, sealKept } from "./sealed.ts";
import { type Database, query, type Scope } from "./scope.ts";
import { wakeRuns } from "./wake-waiting.ts";

/*
 * A request of the batch lane:
 *
 *   waiting -> submitting -> submitted -> done      its answer is here; the run takes it
 *              submitting -> waiting                the process that submitted died, or the provider refused for now
 *              submitting -> failed                 the provider refused for good
 *                            submitted -> failed    expired, cancelled, or lost
 *   waiting, submitting, submitted -> failed        its run has waited long enough
 *
 * A run whose request has failed asks at once, at the usual price. Requests of runs that have ended are removed: those that
 * are with the provider when they come back.
 *
 * A process that dies between the provider's answer to a batch and the note of it leaves its requests `submitting`; they are
 * submitted again, the same content in another batch. Neither provider takes an idempotency key here.
 */

/** What batches are made for: a model by its name in the configuration. */
export interface BatchModel {
  readonly provider: string;
  readonly model: string;
  /** Name in the configuration, by which the model is found again. */
  readonly modelName: string;
}

/** A request that goes with a batch. */
export interface BatchRequest extends BatchModel {
  readonly callId: string;
  readonly runId: string;
  /** The same for all executions of the step that make this request; begins with the step's key and a slash. */
  readonly ticket: string;
  /** What the provider is to be sent. */
  readonly body: Json;
}

/** The answer to a request, as the provider's server would have given it at once. */
export interface BatchAnswer {
  readonly status: number;
  readonly body: Json;
}

/** What is known of a request. */
export interface BatchItem {
  readonly callId: string;
  readonly state: "waiting" | "submitting" | "submitted" | "done" | "failed";
  readonly answer: BatchAnswer | null;
  readonly createdAt: Date;
}

/** A request that a process has taken to submit it. */
export interface TakenItem {
  readonly workspaceId: string;
  readonly runId: string;
  readonly ticket: string;
  readonly callId: string;
  readonly body: Json;
}

/** A batch that the provider has. */
export interface OpenBatch extends BatchModel {
  readonly batchId: string;
}

/** A request that was removed because its run has ended, and whose call nobody has closed. */
export interface AbandonedItem extends BatchModel {
  readonly workspaceId: string;
  readonly runId: string;
  readonly callId: string;
  /** Whether the provider has had it. */
  readonly sent: boolean;
}

type RequestName = Pick<BatchRequest, "callId" | "runId">;
const bodyPlace = ({ callId, runId }: RequestName): string => `${runId}/batch_items.body/${callId}`;
const answerPlace = ({ callId, runId }: RequestName): string => `${runId}/batch_items.answer/${callId}`;

/** Batch requests of one workspace, for the steps that make them. */
export function createBatchStore({ db, workspaceId, keys }: Scope, sandbox: boolean) {
  const ofStep = (stepKey: string) =>
    sql<boolean>`workspace_id = ${workspaceId} and starts_with(ticket, ${`${stepKey}/`})`;
  return {
    /** What became of a request; null when it was never made. */
    find: (ticket: string): Promise<BatchItem | null> =>
      query(async () => {
        const row = await db
          .selectFrom("batchItems")
          .select(["callId", "runId", "state", "answer", "createdAt"])
          .where("workspaceId", "=", workspaceId)
          .where("ticket", "=", ticket)
          .executeTakeFirst();
        if (!row) return null;
        const { callId, runId, state, createdAt } = row;
        const key = await keys.toRead({ workspaceId, runId });
        const answer = openContent(key, row.answer, answerPlace(row));
        return { callId, state, createdAt, answer: answer as unknown as BatchAnswer | null };
      }),

    /** Whether a step has made a request here. */
    has: (stepKey: string): Promise<boolean> =>
      query(async () => {
        const row = await db
          .selectFrom("batchItems")
          .select("callId")
          .where(ofStep(stepKey))
          .limit(1)
          .executeTakeFirst();
        return row !== undefined;
      }),

    /** Puts a request in line; does nothing when it is there. Durable when it resolves. */
    add: ({ body, ...request }: BatchRequest): Promise<void> =>
      query(async () => {
        const key = await keys.toWrite({ workspaceId, runId: request.runId });
        await db
          .insertInto("batchItems")
          .values({
            ...request,
            workspaceId,
            sandbox,
            state: "waiting",
            body: sealKept(key, body, bodyPlace(request)),
          })
          .onConflict((conflict) => conflict.columns(["workspaceId", "ticket"]).doNothing())
          .execute();
      }),

    /** Takes a request out of the line: its run waits for it no more. One that has an answer is left as it is. */
    giveUp: (ticket: string): Promise<void> =>
      query(async () => {
        await sql`update sluice.batch_items set state = 'failed', state_since = now(), body = null
          where workspace_id = ${workspaceId} and ticket = ${ticket} and state in (${open})`.execute(db);
      }),

    /** Removes the requests of a step that has failed with their answers, so that a resumed run asks anew. */
    forget: (stepKey: string): Promise<void> =>
      query(async () => {
        await db.deleteFrom("batchItems").where(ofStep(stepKey)).where("state", "in", ["done", "failed"]).execute();
      }),
  };
}

const open = sql`'waiting', 'submitting', 'submitted'`;

/** A process that was to submit and did not within this time is taken to be gone. */
const submittingAtMost = sql`interval '10 minutes'`;
/** Of an item: it is to be submitted, and nobody is about to. */
const isInLine = sql`(item.state = 'waiting' or (item.state = 'submitting' and item.state_since < now() - ${submittingAtMost}))`;
/** Of an item: its run goes on. */
const isWanted = sql`exists (select from sluice.runs as run where run.workspace_id = item.workspace_id and run.id = item.run_id
  and run.status in ('queued', 'running', 'waiting'))`;

/** How much is taken at once. */
export interface BatchSize {
  readonly items: number;
  /** Of the stored requests; one that is larger goes by itself. */
  readonly bytes: number;
}

/** Batch requests of all workspaces, for who submits and collects them. */
export function createBatchLine(db: Database, keys: RunKeys, sandbox: boolean) {
  return { ...createSubmitting(db, keys, sandbox), ...createCollecting(db, keys, sandbox) };
}

function createSubmitting(db: Database, keys: RunKeys, sandbox: boolean) {
  return {
    /** The models for which requests are in line. */
    modelsInLine: (): Promise<BatchModel[]> =>
      query(async () => {
        const { rows } = await sql<BatchModel>`
          select distinct provider, model, model_name from sluice.batch_items as item
          where sandbox = ${sandbox} and ${isInLine} and ${isWanted}`.execute(db);
        return rows;
      }),

    /**
     * Takes requests of a model that are in line, the oldest first, to be submitted by this process: no other one gets them
     * for ten minutes. Null when nothing is in line. Requests that cannot be read any more are not given: they stay behind,
     * and are made at once when their patience is over.
     */
    take: ({ provider, model, modelName }: BatchModel, size: BatchSize): Promise<TakenItem[] | null> =>
      query(async () => {
        const { rows } = await sql<TakenItem>`
          with locked as (
            select item.workspace_id, item.ticket, item.created_at, length(item.body::text) as bytes
            from sluice.batch_items as item
            where item.provider = ${provider} and item.model = ${model} and item.model_name = ${modelName}
              and item.sandbox = ${sandbox} and ${isInLine} and ${isWanted}
            order by item.created_at limit ${size.items} for update of item skip locked
          ), chosen as (
            select workspace_id, ticket, coalesce(sum(bytes) over (order by created_at, ticket), 0) - coalesce(bytes, 0) as before
            from locked
          )
          update sluice.batch_items as item set state = 'submitting', state_since = now() from chosen
          where item.workspace_id = chosen.workspace_id and item.ticket = chosen.ticket and chosen.before < ${size.bytes}
          returning item.workspace_id, item.run_id, item.ticket, item.call_id, item.body`.execute(db);
        if (rows.length === 0) return null;
        const items: TakenItem[] = [];
        for (const row of rows) {
          const key = await keys.toRead(row);
          const body = openUnlessLost(key, row.body, bodyPlace(row));
          if (body !== null) items.push({ ...row, body });
        }
        return items;
      }),

    /** Notes that the provider has them. */
    submitted: (items: readonly TakenItem[], batchId: string): Promise<void> =>
      query(async () => {
        await sql`update sluice.batch_items as item set state = 'submitted', batch_id = ${batchId}, state_since = now(), body = null
          from ${named(items)} and item.state = 'submitting'`.execute(db);
      }),

    /** Puts them back in line, at their old places. */
    putBack: (items: readonly TakenItem[]): Promise<void> =>
      query(async () => {
        await sql`update sluice.batch_items as item set state = 'waiting', state_since = now()
          from ${named(items)} and item.state = 'submitting'`.execute(db);
      }),

    /** Notes that the provider does not take them, and lets their runs go on. */
    refused: (items: readonly TakenItem[]): Promise<void> =>
      query(() =>
        db.transaction().execute(async (transaction) => {
          await sql`update sluice.batch_items as item set state = 'failed', state_since = now(), body = null
            from ${named(items)} and item.state = 'submitting'`.execute(transaction);
          await wakeRuns(transaction, items);
        }),
      ),
  };
}

function createCollecting(db: Database, keys: RunKeys, sandbox: boolean) {
  return {
    /** Batches that are not collected yet. */
    open: (): Promise<OpenBatch[]> =>
      query(async () => {
        const rows = await db
          .selectFrom("batchItems")
          .select(["batchId", "provider", "model", "modelName"])
          .distinct()
          .where("state", "=", "submitted")
          .where("sandbox", "=", sandbox)
          .execute();
        return rows.flatMap(({ batchId, ...rest }) => (batchId === null ? [] : [{ batchId, ...rest }]));
      }),

    /**
     * Stores the answers of a batch that has ended, and lets the runs that wait for them go on at once: also one that has just
     * looked and is about to be parked. A request without an answer has failed.
     *
     * @param answers by id of the call.
     */
    collect: (batchId: string, answers: ReadonlyMap<string, BatchAnswer>): Promise<void> =>
      query(async () => {
        const rows = await db
          .selectFrom("batchItems")
          .select(["workspaceId", "ticket", "callId", "runId"])
          .where("batchId", "=", batchId)
          .where("state", "=", "submitted")
          .execute();
        const ended: { workspaceId: string; ticket: string; state: string; answer: string | null }[] = [];
        for (const { workspaceId, ticket, callId, runId } of rows) {
          const answer = answers.get(callId);
          const key = await keys.toRead({ workspaceId, runId });
          const sealed = sealKept(key, answer as unknown as Json | undefined, answerPlace({ callId, runId }));
          ended.push({ workspaceId, ticket, state: answer ? "done" : "failed", answer: sealed });
        }
        await db.transaction().execute(async (transaction) => {
          await sql`update sluice.batch_items as item set state = ended.state, state_since = now(), answer = ended.answer::json
            from json_to_recordset(${JSON.stringify(ended)}::json) as ended ("workspaceId" text, ticket text, state text, answer text)
            where item.workspace_id = ended."workspaceId" and item.ticket = ended.ticket and item.state = 'submitted'`.execute(
            transaction,
          );
          await wakeRuns(transaction, rows);
        });
      }),

    /** Removes the requests of runs that have ended. Gives those whose call has no end on record yet. */
    removeUnwanted: (): Promise<AbandonedItem[]> =>
      query(async () => {
        const { rows } = await sql<AbandonedItem>`
          with removed as (
            delete from sluice.batch_items as item
            where item.sandbox = ${sandbox} and item.state <> 'submitted' and not ${isWanted}
              and (item.state <> 'submitting' or ${isInLine})
            returning item.*
          )
          select removed.workspace_id, removed.run_id, removed.call_id, removed.provider, removed.model, removed.model_name,
            removed.state = 'done' as sent
          from removed
          join sluice.ai_calls as call on call.workspace_id = removed.workspace_id and call.id = removed.call_id
          where call.status = 'intent'`.execute(db);
        return rows;
      }),
  };
}

/** The rows of items, as the rest of an update after `from`. */
const named = (items: readonly TakenItem[]) => sql`
  json_to_recordset(${JSON.stringify(items.map(({ workspaceId, ticket }) => ({ workspaceId, ticket })))}::json)
    as named ("workspaceId" text, ticket text)
  where item.workspace_id = named."workspaceId" and item.ticket = named.ticket`;

/** Null for a body that cannot be read any more. */
function openUnlessLost(key: ContentKey | null, body: Json, place: string): Json {
  try {
    return openContent(key, body, place);
  } catch (thrown) {
    if (isContentLost(thrown)) return null;
    throw thrown;
  }
}
