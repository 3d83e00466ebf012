import { sql } from "kysely";
import type { AiCallRecord, ErrorCode, Json } from "../core/index.ts";
import type { AiCallWriter } from "./ai-call-writer.ts";
import { openContent, sealKept } from "./sealed.ts";
import { query, type Scope, toText } from "./scope.ts";

/** The start of an {@link AiCallRecord}, written before the model is called. */
export type AiCallIntent = Omit<
  AiCallRecord,
  | "response"
  | "status"
  | "rung"
  | "inputTokens"
  | "outputTokens"
  | "costMicroUsd"
  | "estimated"
  | "error"
  | "finishedAt"
>;

/** What a call takes of limits and budgets. Shapes and words are those of `claim_model_call` in migration 0003. */
export interface ModelClaim {
  /** Id of the call. */
  readonly key: string;
  /** The same for all tries of a step: who waits for room keeps a place under this name. */
  readonly ticket: string;
  /** What the provider counts by: the key, and the key with the model. */
  readonly credential: string;
  /** Digest of the key's value: another key is not stopped by what was said of the one before. */
  readonly credentialVersion: string | null;
  readonly bucket: string;
  /** 0 interactive, 1 standard, 2 batch. */
  readonly lane: number;
  readonly limits: readonly { readonly kind: LimitKind; readonly limit: number; readonly perMs: number }[];
  readonly concurrency: number | null;
  readonly interactiveShare: number;
  readonly amounts: { readonly [Kind in "requests" | "input_tokens" | "output_tokens"]: number };
  /** How long the call may be under way; then its place is free again, whatever became of its process. */
  readonly leaseMs: number;
  readonly accounts: readonly { readonly account: string; readonly limitMicroUsd: number }[];
  /** The most that it can cost. */
  readonly costMicroUsd: number | null;
}

/** What limits count. */
export type LimitKind = "requests" | "tokens" | "input_tokens" | "output_tokens";

/** A call on its way out. */
export interface AiCallAdmission {
  readonly intent: AiCallIntent;
  /** The execution that is about to ask. */
  readonly epoch: number;
  /** Null: nothing limits it. */
  readonly claim: ModelClaim | null;
  /** Blind indexes of the people that it is about. */
  readonly subjects: readonly string[];
  /** Placeholders of the run and what they stand for, when there are new ones. */
  readonly vault: { readonly originals: { readonly [placeholder: string]: string }; readonly expiresAt: Date } | null;
}

/** Whether a call may be sent; if not, why, and what then. */
export type Admission =
  /** `sendWithinMs`: after that the request might stand in a window of the limit in which it was not counted. */
  | { readonly ok: true; readonly sendWithinMs?: number }
  | { readonly ok: false; readonly because: "limit"; readonly kind: string; readonly until: string }
  | { readonly ok: false; readonly because: "paused" | "circuit"; readonly reason: string; readonly until: string }
  | {
      readonly ok: false;
      readonly because: "budget";
      readonly account: string;
      readonly limitMicroUsd: number;
      readonly spentMicroUsd: number;
    }
  | { readonly ok: false; readonly because: "too_low"; readonly kind: string; readonly limit: number };

/** What an answer tells of limits and of the provider's health. See `settle_model_call`. */
export interface ModelSettlement {
  readonly key: string;
  readonly credential: string;
  readonly bucket: string;
  readonly used: { readonly input_tokens: number | null; readonly output_tokens: number | null };
  /** Null: not known, so that the most that it could cost stays spent. */
  readonly costMicroUsd: number | null;
  /** Whether the request left at all; false gives everything back. */
  readonly sent: boolean;
  readonly outcome: "ok" | "rate_limited" | "quota" | "auth" | "unavailable" | "other";
  readonly pauseUntil: string | null;
  readonly learned: readonly {
    readonly kind: LimitKind;
    readonly limit: number | null;
    readonly remaining: number | null;
    readonly resetAt: string | null;
  }[];
}

/** How an AI call ended. */
export type AiCallOutcome = Pick<
  AiCallRecord,
  "response" | "rung" | "inputTokens" | "outputTokens" | "costMicroUsd" | "estimated" | "error"
> & {
  readonly status: "succeeded" | "failed";
  readonly finishedAt: Date;
  readonly settlement: ModelSettlement | null;
  /** Digest of the response, for the ledger; null when there is none. */
  readonly responseDigest: string | null;
};

/** An earlier request of a step. */
export interface EarlierCall extends Pick<
  AiCallRecord,
  "id" | "attempt" | "modelName" | "provider" | "model" | "startedAt" | "finishedAt"
> {
  readonly errorCode: ErrorCode | null;
}

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

type CallName = Pick<AiCallRecord, "id" | "runId">;

/** Where contents of AI calls stand, as their seals have it. */
export const requestPlace = ({ id, runId }: CallName): string => `${runId}/ai_calls.request/${id}`;
export const responsePlace = ({ id, runId }: CallName): string => `${runId}/ai_calls.response/${id}`;
const vaultPlace = (runId: string): string => `${runId}/vaults.sealed`;

const lanes = ["interactive", "standard", "batch"] as const;

/** Lanes as rows keep them: the lowest number goes first. */
export function rankOfLane(lane: AiCallRecord["lane"]): number {
  return lanes.indexOf(lane);
}

/** AI calls of one workspace. */
export function createAiCallStore(scope: Scope, write: AiCallWriter) {
  return {
    ...createAdmissions(scope, write),
    ...createVaults(scope),
    ...createRecords(scope),
    ...createFigures(scope),
  };
}

/** Calls on their way out and back. */
function createAdmissions({ workspaceId, keys }: Scope, write: AiCallWriter) {
  return {
    /**
     * Takes limits and budgets for a call and records what is about to be sent, all or nothing. Durable when it resolves.
     *
     * @throws RUN_TAKEN_OVER when the run has another execution by now: nothing may be sent.
     */
    async admit(admission: AiCallAdmission): Promise<Admission> {
      const { intent, epoch, claim, subjects, vault } = admission;
      const { runId, request, startedAt, ...call } = intent;
      const key = await keys.toWrite({ workspaceId, runId });
      const row = {
        ...call,
        runId,
        epoch,
        lane: rankOfLane(call.lane),
        request: sealKept(key, request, requestPlace(intent)) ?? "null",
        startedAt,
        subjects,
        vault: vault && sealKept(key, vault.originals, vaultPlace(runId)),
        vaultUntil: vault && vault.expiresAt,
      };
      const entry = toEntry("model.intended", intent, startedAt, call.requestDigest, {
        provider: call.provider,
        model: call.model,
        region: call.region,
        lane: call.lane,
        attempt: call.attempt,
        simulated: call.simulated,
        fields: call.sentFields.map(({ name }) => name),
        masked: call.masked,
        promptVersion: call.promptVersion,
      });
      return write({ kind: "begins", runId, row, claim, entry });
    },

    /** Records what came back, and gives back what was not used. */
    async settle(call: { readonly id: string; readonly runId: string }, outcome: AiCallOutcome): Promise<void> {
      const { id, runId } = call;
      const key = await keys.toWrite({ workspaceId, runId });
      const { response, error, finishedAt, settlement, responseDigest, ...rest } = outcome;
      const { status, rung, inputTokens, outputTokens, costMicroUsd, estimated } = rest;
      const errorCode = (error as { readonly code?: string } | null)?.code ?? null;
      const row = {
        ...rest,
        id,
        response: sealKept(key, response, responsePlace(call)),
        error: toText(error),
        finishedAt,
      };
      const facts = { status, rung, inputTokens, outputTokens, costMicroUsd, estimated, error: errorCode };
      const entry = toEntry("model.called", call, finishedAt, responseDigest, facts);
      await write({ kind: "ended", row, settlement, entry });
    },
  };
}

/** The placeholders of runs. */
function createVaults({ db, workspaceId, keys }: Scope) {
  return {
    /** The placeholders of a run and what they stand for; empty when there are none, or their time is over. */
    vault: (runId: string): Promise<{ readonly [placeholder: string]: string }> =>
      query(async () => {
        const row = await db
          .selectFrom("vaults")
          .select("sealed")
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", runId)
          .where("expiresAt", ">", sql<Date>`now()`)
          .executeTakeFirst();
        if (!row) return {};
        const key = await keys.toRead({ workspaceId, runId });
        return (openContent(key, row.sealed, vaultPlace(runId)) ?? {}) as { readonly [placeholder: string]: string };
      }),

    /** Removes placeholders whose time is over. Gives how many runs they were of. */
    sweepVaults: (): Promise<number> =>
      query(async () => {
        const { numDeletedRows } = await db
          .deleteFrom("vaults")
          .where("workspaceId", "=", workspaceId)
          .where("expiresAt", "<=", sql<Date>`now()`)
          .executeTakeFirst();
        return Number(numDeletedRows);
      }),
  };
}

/** What is on record of calls. */
function createRecords({ db, workspaceId, keys }: Scope) {
  return {
    /** The calls of a run, the oldest first. */
    ofRun: (runId: string): Promise<AiCallRecord[]> =>
      query(async () => {
        const rows = await db
          .selectFrom("aiCalls")
          .selectAll()
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", runId)
          .orderBy("startedAt")
          .orderBy("id")
          .execute();
        const key = await keys.toRead({ workspaceId, runId });
        return rows.map(({ lane, workspaceId: _workspaceId, ...row }) => ({
          ...row,
          lane: lanes[lane] ?? "standard",
          request: openContent(key, row.request, requestPlace(row)),
          response: openContent(key, row.response, responsePlace(row)),
        }));
      }),

    /** The requests that a step has made in all its tries and processes, in their order. */
    ofStep: (runId: string, stepPath: string): Promise<EarlierCall[]> =>
      query(() =>
        db
          .selectFrom("aiCalls")
          .select(["id", "attempt", "modelName", "provider", "model", "startedAt", "finishedAt"])
          .select(sql<ErrorCode | null>`error ->> 'code'`.as("errorCode"))
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", runId)
          .where("stepPath", "=", stepPath)
          .orderBy("startedAt")
          .orderBy("id")
          .execute(),
      ),

    /** What a model said last in a step; null when there is nothing, or its key was destroyed. */
    lastAnswer: (runId: string, stepPath: string): Promise<Json> =>
      query(async () => {
        const row = await db
          .selectFrom("aiCalls")
          .select(["id", "response"])
          .where("workspaceId", "=", workspaceId)
          .where("runId", "=", runId)
          .where("stepPath", "=", stepPath)
          .where("response", "is not", null)
          .orderBy("startedAt", "desc")
          .orderBy("id", "desc")
          .limit(1)
          .executeTakeFirst();
        const key = row ? await keys.toRead({ workspaceId, runId }) : null;
        return row ? openContent(key, row.response, responsePlace({ id: row.id, runId })) : null;
      }),
  };
}

function createFigures({ db, workspaceId }: Scope) {
  return {
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

/** What the ledger keeps of a call: facts and digests, nothing of what was said. */
function toEntry(
  kind: "model.intended" | "model.called",
  { id, runId }: { readonly id: string; readonly runId: string },
  at: Date,
  digest: string | null,
  data: { readonly [name: string]: unknown },
) {
  return { at: at.toISOString(), kind, runId, ref: id, digest, data };
}
