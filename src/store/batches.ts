import { sql } from "kysely";
import type { Json } from "../core/index.ts";
import type { ContentKey } from "./content-keys.ts";
import type { RunKeys } from "./run-keys.ts";
import { isContentLost, openContent, sealKept } from "./sealed.ts";
import { type Database, query, type Scope } from "./scope.ts";

/*
 * A request of the batch lane:
 *
 *   waiting -> submitting -> submitted -> done      its answer is here; the run takes it
 *              submitting -> waiting                the process that submitted died, or the provider refused for now
 *                            submitted -> failed    expired, cancelled, or refused: the run asks at once, at the usual price
 */

/** A request that goes with a batch. */
export interface BatchRequest {
  readonly callId: string;
  readonly runId: string;
  /** The same for all executions of the step that make this request. */
  readonly ticket: string;
  readonly provider: string;
  readonly model: string;
  /** Name in the configuration, by which the model is found again. */
  readonly modelName: string;
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

/** Requests of one model that are to be submitted, or were, together. */
export interface BatchGroup {
  readonly provider: string;
  readonly model: string;
  readonly modelName: string;
  /** Null: not submitted yet. */
  readonly batchId: string | null;
  readonly items: readonly {
    readonly workspaceId: string;
    readonly ticket: string;
    readonly callId: string;
    readonly body: Json;
  }[];
}

/** A batch that the provider has. */
export interface OpenBatch {
  readonly batchId: string;
  readonly provider: string;
  readonly model: string;
  readonly modelName: string;
}

type RequestName = Pick<BatchRequest, "callId" | "runId">;
const bodyPlace = ({ callId, runId }: RequestName): string => `${runId}/batch_items.body/${callId}`;
const answerPlace = ({ callId, runId }: RequestName): string => `${runId}/batch_items.answer/${callId}`;

/** Batch requests of one workspace, for the steps that make them. */
export function createBatchStore({ db, workspaceId, keys }: Scope, sandbox: boolean) {
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
  };
}

/** A process that was to submit and did not within this time is taken to be gone. */
const submittingAtMost = sql`interval '10 minutes'`;

/** Batch requests of all workspaces, for who submits and collects them. */
export function createBatchLine(db: Database, keys: RunKeys, sandbox: boolean) {
  return {
    /** Takes the requests of one model that are in line, to be submitted by this process. Null when nothing is in line. */
    take: (limit: number): Promise<BatchGroup | null> =>
      query(async () => {
        const { rows } = await sql<{
          workspaceId: string;
          ticket: string;
          callId: string;
          runId: string;
          provider: string;
          model: string;
          modelName: string;
          body: Json;
        }>`
          with first as (
            select provider, model, model_name from sluice.batch_items
            where sandbox = ${sandbox} and (state = 'waiting' or (state = 'submitting' and state_since < now() - ${submittingAtMost}))
            order by created_at limit 1
          ), chosen as (
            select item.workspace_id, item.ticket from sluice.batch_items as item, first
            where item.provider = first.provider and item.model = first.model and item.model_name = first.model_name
              and item.sandbox = ${sandbox}
              and (state = 'waiting' or (state = 'submitting' and state_since < now() - ${submittingAtMost}))
            order by created_at limit ${limit} for update of item skip locked
          )
          update sluice.batch_items as item set state = 'submitting', state_since = now() from chosen
          where item.workspace_id = chosen.workspace_id and item.ticket = chosen.ticket
          returning item.workspace_id, item.ticket, item.call_id, item.run_id, item.provider, item.model, item.model_name,
            item.body`.execute(db);
        const [first] = rows;
        if (!first) return null;
        const { provider, model, modelName } = first;
        const items: BatchGroup["items"][number][] = [];
        for (const { workspaceId, ticket, callId, runId, body } of rows) {
          const key = await keys.toRead({ workspaceId, runId });
          const opened = openUnlessLost(key, body, bodyPlace({ callId, runId }));
          if (opened !== null) items.push({ workspaceId, ticket, callId, body: opened });
        }
        return { provider, model, modelName, batchId: null, items };
      }),

    /** Notes that the provider has them; null puts them back in line. */
    submitted: ({ items }: BatchGroup, batchId: string | null): Promise<void> =>
      query(async () => {
        const tickets = items.map(({ ticket }) => ticket);
        await sql`update sluice.batch_items set state = ${batchId === null ? "waiting" : "submitted"}, batch_id = ${batchId},
          state_since = now(), body = case when ${batchId !== null} then null else body end
          where ticket = any(${tickets}) and state = 'submitting'`.execute(db);
      }),

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
     * Stores the answers of a batch that has ended, and lets the runs that wait for them go on at once. A request without an
     * answer has failed.
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
          await wakeRuns(
            transaction,
            rows.map(({ runId }) => runId),
          );
        });
      }),
  };
}

/** Null for a body that cannot be read any more: its request stays behind, and is made at once when its patience is over. */
function openUnlessLost(key: ContentKey | null, body: Json, place: string): Json {
  try {
    return openContent(key, body, place);
  } catch (thrown) {
    if (isContentLost(thrown)) return null;
    throw thrown;
  }
}

/** Lets parked runs go on now. Those in memory come back by themselves within a minute. */
async function wakeRuns(db: Database, runIds: readonly string[]): Promise<void> {
  await sql`update sluice.runs set wake_at = now()
    where id = any(${runIds}) and status = 'waiting' and executor is null and wake_at > now()`.execute(db);
}
