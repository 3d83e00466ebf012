import {
  type AnswerRung,
  digestOfJson,
  type ErrorCode,
  isRecord,
  type Json,
  SluiceError,
  toJson,
  toSluiceError,
} from "../core/index.ts";
import type { AiCallIntent } from "../store/index.ts";
import { modelIdOf } from "./model-spec.ts";
import type { AskingStep, OutgoingRequest } from "./request-once.ts";
import { usualTokensPerByte } from "./reserve.ts";
import { bucketOf } from "./route.ts";
import { settleAnswer, settleFailure, type Settled, type Told, toSettlement } from "./settle.ts";
import type { Verdict } from "./validate.ts";

/** What the operator has to mend with the provider, and is told in the log as well. */
const needsPeople: ReadonlySet<ErrorCode> = new Set(["MODEL_QUOTA_EXHAUSTED", "MODEL_AUTH_FAILED", "MODEL_RETIRED"]);

/** What is known at the end of a request. */
interface Ending {
  readonly told: Told;
  readonly response: Json;
  readonly rung: AnswerRung | null;
  /** Why the answer is not used. */
  readonly error: SluiceError | null;
  /** What limits and circuits learn from: an answer that merely does not fit is none of theirs. */
  readonly providerError: SluiceError | null;
}

/** Writes down how a request ended. One that was written down before, by an earlier execution, is left as it is. */
export class CallClosing<Answer extends Told> {
  readonly #step: AskingStep;
  readonly #request: OutgoingRequest<Answer>;
  readonly #call: Pick<AiCallIntent, "id" | "runId">;
  readonly #inputBytes: number;
  readonly #now: () => Date;
  readonly #isClosed: boolean;

  /** @param inputBytes what was sent, by which the tokens of a byte are learned. */
  constructor(
    step: AskingStep,
    request: OutgoingRequest<Answer>,
    call: Pick<AiCallIntent, "id" | "runId">,
    { inputBytes, now }: { readonly inputBytes: number; readonly now: () => Date },
  ) {
    this.#step = step;
    this.#request = request;
    this.#call = call;
    this.#inputBytes = inputBytes;
    this.#now = now;
    this.#isClosed = step.earlier.some(({ id, finishedAt }) => id === call.id && finishedAt !== null);
  }

  /** Records a failure, and throws it. */
  readonly failed = async (thrown: unknown): Promise<never> => {
    const { model, load } = this.#request;
    const error = toSluiceError(thrown);
    this.#mark(error);
    if (needsPeople.has(error.code)) {
      const facts = { provider: model.spec.provider, model: modelIdOf(model.spec), code: error.code };
      this.#step.options.log?.error("model.refused", { ...facts, run: this.#call.runId });
    }
    const settled = await settleFailure(model.spec, error, load.lane);
    const told = { usage: null, headers: {} };
    await this.#toWrite(settled, { told, response: null, rung: null, error, providerError: error })();
    throw error;
  };

  async answered<T>(answer: Answer, verdict: Verdict<T>): Promise<void> {
    const { model, load, toResponse } = this.#request;
    const settled = await settleAnswer(model.spec, answer, load.lane);
    learnTokens(this.#step.tokensPerByte, bucketOf(model.spec), settled.inputTokens, this.#inputBytes);
    const error = verdict.ok ? null : verdict.refusal.error;
    if (error) this.#mark(error);
    const write = this.#toWrite(settled, {
      told: answer,
      response: verdict.ok ? toResponse(answer) : withComplaint(toResponse(answer), verdict.refusal.complaint),
      rung: verdict.ok ? verdict.rung : null,
      error,
      providerError: error?.code === "MODEL_UNAVAILABLE" ? error : null,
    });
    if (error) return write();
    // An answer that will do is not held up by its record: the step's own comes first, unless another request does.
    this.#step.attempt.leaveBehind(write);
  }

  /** Records what an answer cost that came when nobody waited for it any more. */
  async late(told: Told): Promise<void> {
    const settled = await settleAnswer(this.#request.model.spec, told, this.#request.load.lane);
    const error = new SluiceError("MODEL_TIMEOUT", { message: "the answer came when nobody waited for it any more" });
    await this.#toWrite(settled, { told, response: null, rung: null, error, providerError: null })().catch(() => {
      this.#step.options.log?.warn("ai.late_answer_not_recorded", { run: this.#call.runId });
    });
  }

  /** Gives what writes it down. */
  #toWrite(settled: Settled, { told, response, rung, error, providerError }: Ending): () => Promise<void> {
    const { options, journal } = this.#step;
    if (options.recordCalls === false || this.#isClosed) return () => Promise.resolve();
    const { model, load } = this.#request;
    const at = this.#now();
    const ended = { settled, headers: told.headers, error: providerError, lane: load.lane, now: at };
    const outcome = {
      ...settled,
      response,
      responseDigest: response === null ? null : digestOfJson(response),
      rung,
      error: error && toJson(error.toJSON()),
      status: error === null ? "succeeded" : "failed",
      finishedAt: at,
      settlement: toSettlement(this.#call.id, model.spec, ended),
    } as const;
    return () => journal.settle(this.#call, outcome);
  }

  /** Notes a failure for what is decided next in this step. */
  #mark(error: SluiceError): void {
    const { earlier } = this.#step;
    const at = earlier.findIndex(({ id }) => id === this.#call.id);
    const entry = earlier[at];
    if (entry) earlier[at] = { ...entry, errorCode: error.code, finishedAt: this.#now() };
  }
}

/** An answer that did not do, with what was wrong with it, for people. Sealed with it: a check may quote the answer. */
function withComplaint(response: Json, complaint: string): Json {
  return isRecord(response) && complaint !== "" ? { ...response, complaint } : response;
}

/** Weight of the newest answer in what is learned. */
const learningRate = 0.2;

function learnTokens(known: Map<string, number>, bucket: string, tokens: number | null, bytes: number): void {
  if (tokens === null || bytes === 0) return;
  const before = known.get(bucket) ?? usualTokensPerByte;
  known.set(bucket, before + learningRate * (tokens / bytes - before));
}
