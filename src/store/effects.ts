import { sql } from "kysely";
import {
  type EffectRuling,
  formatStepPath,
  type Json,
  type Receipt,
  type ReceiptState,
  SluiceError,
} from "../core/index.ts";
import type { ContentKey } from "./content-keys.ts";
import { reopenRuns } from "./reopen-runs.ts";
import { query, runTakenOver, type Scope } from "./scope.ts";
import { openContent, sealKept } from "./sealed.ts";

/** What is about to be done outside. */
export type EffectIntent = Pick<
  Receipt,
  "key" | "runId" | "stepPath" | "connection" | "action" | "effect" | "requestDigest" | "request"
> & {
  /** The execution that is about to do it. */
  readonly epoch: number;
};

/** How an effect ended. */
export interface EffectEnd {
  readonly state: Exclude<ReceiptState, "intent">;
  readonly response: Json;
  /** The execution that tried it. Default: not checked. */
  readonly epoch?: number;
}

/** The parts of a receipt that tell what resuming does with it. */
export type ReceiptSummary = Pick<Receipt, "key" | "runId" | "stepPath" | "connection" | "action" | "effect" | "state">;

/** In the order of the steps' calls: `9` before `10`. */
const inOrder = sql`string_to_array(step_path, '.')::integer[]`;

const placeOf = (column: "request" | "response", key: string): string => `${runOf(key)}/effects.${column}/${key}`;

/** The run of an idempotency key; see `keyOfStep`. */
const runOf = (key: string): string => key.split("/", 1)[0] ?? key;

function toReceipt(row: Receipt, key: ContentKey | null): Receipt {
  return {
    ...row,
    request: openContent(key, row.request, placeOf("request", row.key)),
    response: openContent(key, row.response, placeOf("response", row.key)),
  };
}

/** Receipts of one workspace. */
export function createEffectStore(scope: Scope) {
  return { ...createReceiptQueries(scope), ...createReceiptChanges(scope) };
}

function createReceiptQueries({ db, workspaceId, keys }: Scope) {
  const own = () => db.selectFrom("effects").selectAll().where("workspaceId", "=", workspaceId);
  return {
    /** The receipts of a run in the order of its steps. */
    ofRun: (runId: string): Promise<Receipt[]> =>
      query(async () => {
        const rows = await own().where("runId", "=", runId).orderBy(inOrder).orderBy("startedAt").execute();
        const key = rows.length === 0 ? null : await keys.toRead({ workspaceId, runId });
        return rows.map((row) => toReceipt(row, key));
      }),

    find: (key: string): Promise<Receipt | null> =>
      query(async () => {
        const row = await own().where("key", "=", key).executeTakeFirst();
        return row ? toReceipt(row, await keys.toRead({ workspaceId, runId: row.runId })) : null;
      }),

    /** The receipts of many runs without what was sent and answered, for a preview of resuming them. */
    ofRuns: (runIds: readonly string[]): Promise<ReceiptSummary[]> =>
      query(() =>
        db
          .selectFrom("effects")
          .select(["key", "runId", "stepPath", "connection", "action", "effect", "state"])
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", sql<string>`any(${runIds})`)
          .execute(),
      ),
  };
}

function createReceiptChanges(scope: Scope) {
  const { db, workspaceId, keys } = scope;
  const { find } = createReceiptQueries(scope);
  const seal = async (column: "request" | "response", key: string, content: Json): Promise<string | null> => {
    const contentKey = await keys.toWrite({ workspaceId, runId: runOf(key) });
    return sealKept(contentKey, content, placeOf(column, key));
  };
  return {
    /**
     * Records the intent of an effect; durable when it resolves. Gives the receipt as it stood before, or null for the
     * first try. A receipt that is `done`, or of which a person said that it is not to be done, is left as it is.
     *
     * @throws RUN_TAKEN_OVER when the run has another execution by now; FLOW_CHANGED when the key has the receipt of another
     *   action. Then nothing may be done outside.
     */
    begin: (intent: EffectIntent): Promise<Receipt | null> =>
      query(async () => {
        const before = await find(intent.key);
        if (before) refuseOther(before, intent);
        if (before?.state === "done" || before?.ruling?.word === "not_done") return before;
        const { key, runId, stepPath, connection, action, effect, requestDigest, epoch } = intent;
        const request = (await seal("request", key, intent.request)) ?? "null";
        const { rows } = await sql`
          insert into sluice.effects (workspace_id, key, run_id, step_path, connection, action, effect, state,
            request_digest, request, attempts, started_at)
          select run.workspace_id, ${key}, run.id, ${stepPath}, ${connection}, ${action}, ${effect}, 'intent',
            ${requestDigest}, ${request}::json, 1, now()
          from sluice.runs as run
          where run.workspace_id = ${workspaceId} and run.id = ${runId} and run.epoch = ${epoch} for share
          on conflict (workspace_id, key) do update set state = 'intent', attempts = effects.attempts + 1,
            request = excluded.request, request_digest = excluded.request_digest, finished_at = null
          returning 1`.execute(db);
        if (rows.length === 1) return before;
        throw runTakenOver(runId);
      }),

    /**
     * Records how an effect ended. That it is `done` counts whoever says so, and stays, whatever a late attempt says.
     * Anything else counts only of the run's own execution: one that lost the run does not know what others tried since.
     */
    settle: (key: string, { state, response, epoch }: EffectEnd): Promise<void> =>
      query(async () => {
        const sealed = response === null ? null : await seal("response", key, response);
        await db
          .updateTable("effects")
          .set({ state, response: sealed, finishedAt: new Date() })
          .where("workspaceId", "=", workspaceId)
          .where("key", "=", key)
          .where("state", "!=", "done")
          .$if(state !== "done" && epoch !== undefined, (q) =>
            q.where("runId", "in", (runs) =>
              runs
                .selectFrom("runs")
                .select("runs.id")
                .where("runs.workspaceId", "=", workspaceId)
                .whereRef("runs.id", "=", "effects.runId")
                .where("runs.epoch", "=", epoch ?? 0),
            ),
          )
          .execute();
      }),

    /**
     * Records a person's word about an effect, and queues its run to go on. False unless the run has failed or is in doubt,
     * and the effect is in doubt, or has the word of a person that failed the run at its step: that one may be corrected.
     *
     * @param output what the step is to give when the effect was done.
     */
    rule: (runId: string, key: string, ruling: EffectRuling, output: Json): Promise<boolean> =>
      query(async () => {
        const sealed = (await seal("response", key, output)) ?? "null";
        return db.transaction().execute(async (transaction) => {
          // Whoever decides second finds the run queued.
          const run = sql`id = ${runId} and status in ('failed', 'in_doubt')`;
          await sql`select 1 from sluice.runs where workspace_id = ${workspaceId} and ${run} for update`.execute(
            transaction,
          );
          const state = ruling.word === "done" ? "done" : "not_done";
          const response = ruling.word === "done" ? sql`${sealed}::json` : sql`response`;
          const { numAffectedRows } = await sql`
            update sluice.effects set state = ${state}, ruling = ${JSON.stringify(ruling)}::json, response = ${response},
              finished_at = now()
            from (select failed_step from sluice.runs where workspace_id = ${workspaceId} and ${run}) as run
            where workspace_id = ${workspaceId} and run_id = ${runId} and key = ${key} and (state in ('intent', 'unknown')
              or (ruling ->> 'word' in ('done', 'not_done')
                and split_part(step_path, '.', 1) = split_part(run.failed_step, '.', 1)))`.execute(transaction);
          if (numAffectedRows !== 1n) return false;
          return (await reopenRuns({ db: transaction, workspaceId }, sql`${run} for update`, null)).length === 1;
        });
      }),
  };
}

/** A flow that was changed may call another action at the place of one that was called before. */
function refuseOther(before: Receipt, { key, stepPath, connection, action }: EffectIntent): void {
  if (before.connection === connection && before.action === action) return;
  throw new SluiceError("FLOW_CHANGED", {
    message: `the flow was changed and calls ${action} by ${connection} as step ${formatStepPath(stepPath)}, where ${before.action} by ${before.connection} is recorded as effect "${key}"`,
    hint: "Put the flow's earlier code back and resume the run, or let it go on under the present code from that step: sluice runs migrate",
    details: { step: stepPath, recorded: before.action, recordedVersion: null, version: null },
  });
}
