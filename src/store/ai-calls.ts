import type { AiCallRecord } from "../core/index.ts";
import { sql } from "kysely";
import { query, runTakenOver, type Scope, toText } from "./scope.ts";

/** The start of an {@link AiCallRecord}, written before the model is called. */
export type AiCallIntent = Omit<
  AiCallRecord,
  "response" | "status" | "rung" | "inputTokens" | "outputTokens" | "costMicroUsd" | "error" | "finishedAt"
> & {
  /** The execution that is about to ask. */
  readonly epoch: number;
};

/** How an AI call ended. */
export type AiCallOutcome = Pick<
  AiCallRecord,
  "response" | "rung" | "inputTokens" | "outputTokens" | "costMicroUsd" | "error"
> & { readonly status: "succeeded" | "failed"; readonly finishedAt: Date };

/** What the calls of a period came to. */
export interface AiTotals {
  readonly calls: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Sum of the known costs. */
  readonly costMicroUsd: number;
  /** Calls whose price is unknown; they are in no sum. */
  readonly unpriced: number;
}

/** AI calls of one workspace. */
export function createAiCallStore(scope: Scope) {
  const { db, workspaceId } = scope;
  return {
    /**
     * Records what is about to be sent. Durable when it resolves.
     *
     * @throws RUN_TAKEN_OVER when the run has another execution by now: nothing may be sent.
     */
    begin: (intent: AiCallIntent): Promise<void> =>
      query(async () => {
        const { id, runId, stepPath, attempt, modelName, provider, model, simulated } = intent;
        const { numAffectedRows } = await sql`
          insert into sluice.ai_calls (workspace_id, id, run_id, step_path, attempt, model_name, provider, model, simulated,
            sent_fields, available_fields, request, request_digest, status, started_at)
          select workspace_id, ${id}, id, ${stepPath}, ${attempt}, ${modelName}, ${provider}, ${model}, ${simulated},
            ${JSON.stringify(intent.sentFields)}::json, ${intent.availableFields}, ${JSON.stringify(intent.request)}::json,
            ${intent.requestDigest}, 'intent', ${intent.startedAt}
          from sluice.runs where workspace_id = ${workspaceId} and id = ${runId} and epoch = ${intent.epoch}`.execute(
          db,
        );
        if (numAffectedRows !== 1n) throw runTakenOver(runId);
      }),

    /** Records what came back. */
    settle: (id: string, outcome: AiCallOutcome): Promise<void> =>
      query(async () => {
        const { response, error, ...rest } = outcome;
        await db
          .updateTable("aiCalls")
          .set({ ...rest, response: toText(response), error: toText(error) })
          .where("workspaceId", "=", workspaceId)
          .where("id", "=", id)
          .execute();
      }),

    /** The calls of a run, the oldest first. */
    ofRun: (runId: string): Promise<AiCallRecord[]> =>
      query(() =>
        db
          .selectFrom("aiCalls")
          .selectAll()
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", runId)
          .orderBy("startedAt")
          .orderBy("id")
          .execute(),
      ),

    /** How many requests a step has made, so that a later one counts on. */
    countOfStep: (runId: string, stepPath: string): Promise<number> =>
      query(async () => {
        const row = await db
          .selectFrom("aiCalls")
          .select((eb) => eb.fn.countAll<number>().as("count"))
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", runId)
          .where("stepPath", "=", stepPath)
          .executeTakeFirstOrThrow();
        return row.count;
      }),

    /** Totals of all calls since a time. */
    totals: (since: Date): Promise<AiTotals> =>
      query(() =>
        db
          .selectFrom("aiCalls")
          .select((eb) => [
            eb.fn.countAll<number>().as("calls"),
            eb.fn.countAll<number>().filterWhere("status", "=", "failed").as("failed"),
            eb.fn.coalesce(eb.fn.sum<number>("inputTokens"), eb.lit(0)).as("inputTokens"),
            eb.fn.coalesce(eb.fn.sum<number>("outputTokens"), eb.lit(0)).as("outputTokens"),
            eb.cast<number>(eb.fn.coalesce(eb.fn.sum<number>("costMicroUsd"), eb.lit(0)), "bigint").as("costMicroUsd"),
            eb.fn.countAll<number>().filterWhere("costMicroUsd", "is", null).as("unpriced"),
          ])
          .where("workspaceId", "=", workspaceId)
          .where("startedAt", ">=", since)
          .executeTakeFirstOrThrow(),
      ),
  };
}
