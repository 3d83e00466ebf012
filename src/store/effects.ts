import type { Json, Receipt, ReceiptState } from "../core/index.ts";
import { query, type Scope, toText } from "./scope.ts";

/** What is about to be done outside. */
export type EffectIntent = Pick<
  Receipt,
  "key" | "runId" | "stepSequence" | "connection" | "action" | "effect" | "requestDigest" | "request"
>;

/** Receipts of one workspace. */
export function createEffectStore(scope: Scope) {
  const { db, workspaceId } = scope;
  const own = () => db.selectFrom("effects").selectAll().where("workspaceId", "=", workspaceId);
  return {
    /**
     * Records the intent of an effect; durable when it resolves. Gives the receipt as it stood before, or null for the
     * first try. A receipt that is `done` is left as it is.
     */
    begin: (intent: EffectIntent): Promise<Receipt | null> =>
      query(async () => {
        const before = await own().where("key", "=", intent.key).executeTakeFirst();
        if (before?.state === "done") return before;
        await db
          .insertInto("effects")
          .values({
            ...intent,
            workspaceId,
            request: JSON.stringify(intent.request),
            state: "intent",
            attempts: 1,
            startedAt: new Date(),
            finishedAt: null,
          })
          .onConflict((conflict) =>
            conflict.columns(["workspaceId", "key"]).doUpdateSet((eb) => ({
              state: "intent" as const,
              attempts: eb("effects.attempts", "+", 1),
              request: eb.ref("excluded.request"),
              requestDigest: eb.ref("excluded.requestDigest"),
              finishedAt: null,
            })),
          )
          .execute();
        return before ?? null;
      }),

    /** Records how an effect ended. */
    settle: (key: string, outcome: { state: Exclude<ReceiptState, "intent">; response: Json }): Promise<void> =>
      query(async () => {
        await db
          .updateTable("effects")
          .set({ state: outcome.state, response: toText(outcome.response), finishedAt: new Date() })
          .where("workspaceId", "=", workspaceId)
          .where("key", "=", key)
          .execute();
      }),

    /** The receipts of a run in the order of its steps. */
    ofRun: (runId: string): Promise<Receipt[]> =>
      query(() => own().where("runId", "=", runId).orderBy("stepSequence").execute()),
  };
}
