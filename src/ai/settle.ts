import type { AnswerRung, ErrorCode, Json, SluiceError } from "../core/index.ts";
import type { ModelAnswer } from "./call.ts";
import type { AiJournal } from "./journal.ts";
import type { ResolvedModel } from "./model-spec.ts";
import { isSimulated } from "./model-spec.ts";
import { costMicroUsd } from "./prices.ts";

/** What a call used and cost. */
export interface Settlement {
  /** Null when the provider did not say. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Whole micro-dollars; null when the usage or the price is unknown. */
  readonly costMicroUsd: number | null;
}

/** Stage 7: what an answer used and cost, whatever validation then says of it. */
export async function settleAnswer(model: ResolvedModel, { usage }: ModelAnswer): Promise<Settlement> {
  if (usage === null)
    return { inputTokens: null, outputTokens: null, costMicroUsd: isSimulated(model.spec) ? 0 : null };
  const { inputTokens, outputTokens } = usage;
  return { inputTokens, outputTokens, costMicroUsd: await costMicroUsd(model.spec, usage) };
}

/** After these the model may have worked, and the provider may charge for it. */
const maybeCharged: ReadonlySet<ErrorCode> = new Set([
  "MODEL_TIMEOUT",
  "MODEL_UNAVAILABLE",
  "SHUTTING_DOWN",
  "INTERNAL",
]);

/** Stage 7 without an answer: a request that was turned away costs 0; what one that broke off costs is unknown. */
export function settleFailure(model: ResolvedModel, error: SluiceError): Settlement {
  const isUnknown = maybeCharged.has(error.code) && !isSimulated(model.spec);
  return { inputTokens: null, outputTokens: null, costMicroUsd: isUnknown ? null : 0 };
}

/** Completes the row of a call, once it is known whether its answer could be used. */
export async function recordOutcome(
  journal: AiJournal,
  id: string,
  outcome: {
    readonly settlement: Settlement;
    readonly answer: ModelAnswer | null;
    readonly rung: AnswerRung | null;
    readonly error: SluiceError | null;
    readonly now: Date;
  },
): Promise<void> {
  const { settlement, answer, rung, error, now } = outcome;
  const response: Json = answer && { text: answer.text, finish: answer.finish };
  const status = error === null ? "succeeded" : "failed";
  await journal.settle(id, {
    ...settlement,
    response,
    rung,
    error: error && { ...error.toJSON() },
    status,
    finishedAt: now,
  });
}
