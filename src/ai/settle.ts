import { type ErrorCode, isRecord, type Priority, type SluiceError } from "../core/index.ts";
import type { LimitKind, ModelSettlement } from "../store/index.ts";
import { readLimitHeaders } from "./limit-headers.ts";
import { isSimulated, type ModelSpec } from "./model-spec.ts";
import { costMicroUsd, goesInBatch, type Usage } from "./prices.ts";
import { bucketOf, credentialOf } from "./route.ts";
import type { AnswerHeaders } from "./retry-after.ts";
import { usageOfFailure } from "./usage.ts";

/** What a call used and cost. */
export interface Settled {
  /** Null when the provider did not say. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Whole micro-dollars; null when the usage or the price is unknown. */
  readonly costMicroUsd: number | null;
  readonly estimated: boolean;
}

/** What the provider said beside its answer. */
export interface Told {
  readonly usage: (Usage & { readonly estimated?: boolean }) | null;
  readonly headers: AnswerHeaders;
}

/** Stage 7: what an answer used and cost, whatever validation then says of it. */
export async function settleAnswer(spec: ModelSpec, { usage }: Told, lane: Priority): Promise<Settled> {
  if (usage === null) {
    return { inputTokens: null, outputTokens: null, costMicroUsd: isSimulated(spec) ? 0 : null, estimated: false };
  }
  const { inputTokens, outputTokens, estimated = false } = usage;
  return { inputTokens, outputTokens, costMicroUsd: await costMicroUsd(spec, usage, { lane }), estimated };
}

/** After these the model may have worked, and the provider may charge for it. */
const maybeCharged: ReadonlySet<ErrorCode> = new Set([
  "MODEL_TIMEOUT",
  "MODEL_UNAVAILABLE",
  "SHUTTING_DOWN",
  "RUN_CANCELLED",
  "INTERNAL",
]);

/** Nothing had left when these were thrown. */
const neverSent: ReadonlySet<ErrorCode> = new Set([
  "EGRESS_REFUSED",
  "PEER_MISSING",
  "SECRET_MISSING",
  "MODEL_INPUT_UNSUPPORTED",
  "CONFIG_INVALID",
]);

/**
 * Stage 7 without an answer: a request that was turned away costs 0; one that broke off costs what is known of it, by estimate,
 * or nobody knows.
 */
export async function settleFailure(spec: ModelSpec, error: SluiceError, lane: Priority): Promise<Settled> {
  const usage = usageOfFailure(error);
  if (usage) return settleAnswer(spec, { usage, headers: {} }, lane);
  const isUnknown = maybeCharged.has(error.code) && !wasTurnedAway(error) && !wasNeverSent(error) && !isSimulated(spec);
  return { inputTokens: null, outputTokens: null, costMicroUsd: isUnknown ? null : 0, estimated: false };
}

function wasTurnedAway({ details }: SluiceError): boolean {
  return isRecord(details) && typeof details["status"] === "number" && details["status"] >= 400;
}

function wasNeverSent({ code, details }: SluiceError): boolean {
  return neverSent.has(code) || (isRecord(details) && details["sent"] === "no");
}

const outcomes: { readonly [Code in ErrorCode]?: ModelSettlement["outcome"] } = {
  MODEL_RATE_LIMITED: "rate_limited",
  MODEL_QUOTA_EXHAUSTED: "quota",
  MODEL_AUTH_FAILED: "auth",
  MODEL_UNAVAILABLE: "unavailable",
  MODEL_TIMEOUT: "unavailable",
};

/** What limits, budgets and breaker learn from how a call ended. Null for a model that nothing limits. */
export function toSettlement(
  key: string,
  spec: ModelSpec,
  ended: {
    readonly settled: Settled;
    readonly headers: AnswerHeaders;
    readonly error: SluiceError | null;
    readonly lane: Priority;
    readonly now: Date;
  },
): ModelSettlement | null {
  if (isSimulated(spec)) return null;
  const { settled, headers, error, lane, now } = ended;
  const { retryAfterMs } = error ?? {};
  return {
    key,
    credential: credentialOf(spec),
    bucket: bucketOf(spec, lane),
    used: { input_tokens: settled.inputTokens, output_tokens: settled.outputTokens },
    costMicroUsd: settled.costMicroUsd,
    sent: error === null || !wasNeverSent(error),
    outcome: outcomeOf(error, goesInBatch(spec, lane)),
    pauseUntil: retryAfterMs === undefined ? null : new Date(now.getTime() + retryAfterMs).toISOString(),
    learned: toLearned(headers, error, now),
  };
}

/** One request of a batch that failed says nothing of whether the next batch will. */
function outcomeOf(error: SluiceError | null, isBatch: boolean): ModelSettlement["outcome"] {
  if (error === null) return "ok";
  const outcome = outcomes[error.code] ?? "other";
  return isBatch && (outcome === "unavailable" || outcome === "rate_limited") ? "other" : outcome;
}

/** The limits that the answer's headers tell; an error carries those of its answer. */
function toLearned(headers: AnswerHeaders, error: SluiceError | null, now: Date): ModelSettlement["learned"] {
  const told = isRecord(error?.details) ? error.details["limits"] : undefined;
  const limits = Array.isArray(told)
    ? (told as unknown as ReturnType<typeof readLimitHeaders>)
    : readLimitHeaders(headers, now.getTime());
  return limits.map(({ kind, limit, remaining, resetMs }) => ({
    kind: kind satisfies LimitKind,
    limit,
    remaining,
    resetAt: resetMs === null ? null : new Date(now.getTime() + resetMs).toISOString(),
  }));
}
