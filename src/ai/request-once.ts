import { setTimeout } from "node:timers/promises";
import {
  digestOf,
  type Json,
  Postponed,
  type Priority,
  type RunScope,
  type SentField,
  SluiceError,
  type StepAttempt,
  toJson,
} from "../core/index.ts";
import type { Admission, AiCallIntent, EarlierCall } from "../store/index.ts";
import { CallClosing } from "./call-closing.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { AiJournal } from "./journal.ts";
import type { ModelAccess } from "./model-access.ts";
import { isSimulated, type ResolvedModel } from "./model-spec.ts";
import { keyOf } from "./provider-facts.ts";
import { toIntent } from "./record-intent.ts";
import { type Load, type Reservation, reserve, toClaim, usualTokensPerByte } from "./reserve.ts";
import { bucketOf, type RoutingNeeds } from "./route.ts";
import type { Masked } from "./run-masking.ts";
import { type Told, toSettlement } from "./settle.ts";
import type { Verdict } from "./validate.ts";

/** A step of a run that asks models, over all its requests. */
export interface AskingStep {
  readonly options: GatewayOptions;
  readonly run: RunScope;
  readonly attempt: StepAttempt;
  readonly journal: AiJournal;
  readonly lane: Priority;
  /** Which models may be asked. */
  readonly needs: Pick<RoutingNeeds, "dataClasses" | "regions">;
  readonly fields: readonly SentField[];
  readonly availableFields: number;
  readonly masked: Pick<Masked, "counts" | "vault" | "onVaultKept">;
  /** Blind indexes of whom the call is about. */
  readonly subjects: readonly string[];
  readonly promptVersion: string;
  /** All requests of the step so far, in all its tries; grows. */
  readonly earlier: EarlierCall[];
  /** What tokens a byte made of late, by bucket. */
  readonly tokensPerByte: Map<string, number>;
}

/** One request to one model. */
export interface OutgoingRequest<Answer extends Told> {
  readonly model: ResolvedModel;
  /** As it is recorded. */
  readonly record: Json;
  readonly load: Load;
  readonly send: (sending: Sending) => Promise<Answer>;
  /** What is recorded of the answer. */
  readonly toResponse: (answer: Answer) => Json;
}

/** What a request needs while it is under way. */
export interface Sending {
  readonly reservation: Reservation;
  readonly stop: AbortSignal;
  readonly now: () => Date;
  /** To be told what an answer cost that came when nobody waited for it any more. */
  readonly onLate: (told: Told) => void;
  /** The way to the provider, where it is not the usual one: then the answer comes whole, never as a stream. */
  readonly access?: ModelAccess;
}

/** An answer and whether it will do. */
export interface RequestResult<Answer, T> {
  readonly answer: Answer;
  readonly verdict: Verdict<T>;
}

/** Shortest time from a request of a step that was no use to the next one, so that no way through the ladder becomes a hot loop. */
const gapMs = 250;

/**
 * Stages 4 to 8 for one request: limits and budgets are taken and the intent is recorded in one commit; then the request
 * leaves; then what it cost is settled and, with the verdict on the answer, recorded in another.
 *
 * @throws Postponed when there is no room yet; BUDGET_EXCEEDED, MODEL_PRICE_UNKNOWN, MODEL_LIMIT_TOO_LOW before anything is
 * sent; RUN_TAKEN_OVER; what the model's provider answers.
 */
export async function requestOnce<Answer extends Told, T>(
  step: AskingStep,
  request: OutgoingRequest<Answer>,
  validate: (answer: Answer) => Promise<Verdict<T>>,
): Promise<RequestResult<Answer, T>> {
  const { model } = request;
  const now = step.options.now ?? (() => new Date());
  await keepGap(step);
  const reservation = await reserve(model.spec, request.load);
  const call = await admit(step, request, reservation, now());
  const close = new CallClosing(step, request, call, { inputBytes: reservation.inputTokens, now });
  const answer = await request
    .send({ reservation, stop: step.attempt.signal, now, onLate: (told) => void close.late(told) })
    .catch(close.failed);
  const verdict = await validate(answer);
  await close.answered(answer, verdict);
  return { answer, verdict };
}

/** Waits until the end of the step's last request is a moment ago, when it was no use: when it arrived is not known here. */
async function keepGap({ earlier, attempt }: AskingStep): Promise<void> {
  const last = earlier.at(-1);
  if (!last?.errorCode) return;
  const sinceMs = Date.now() - (last.finishedAt ?? last.startedAt).getTime();
  if (sinceMs < gapMs) await setTimeout(gapMs - sinceMs, undefined, { signal: attempt.signal });
}

/** Stages 4 and 5: takes limits and budgets, and records the intent. @throws as {@link requestOnce}; then nothing was taken. */
export async function admit<Answer extends Told>(
  step: AskingStep,
  { model, load, record }: OutgoingRequest<Answer>,
  reservation: Reservation,
  now: Date,
): Promise<AiCallIntent> {
  const { run, attempt, options, masked, earlier } = step;
  // It may need what earlier requests give back.
  await attempt.untilWritten();
  const intent = toIntent({
    place: { runId: run.runId, stepPath: attempt.path, attempt: earlier.length + 1 },
    model,
    lane: load.lane,
    sentFields: step.fields,
    availableFields: step.availableFields,
    masked: masked.counts,
    request: record,
    reservedMicroUsd: reservation.costMicroUsd,
    waitedMs: attempt.postponedSince === null ? 0 : Math.max(0, now.getTime() - attempt.postponedSince.getTime()),
    promptVersion: step.promptVersion,
    now,
  });
  const credentialVersion = await versionOfKey(options, model);
  const claimant = {
    run,
    ticket: attempt.key,
    model,
    lane: load.lane,
    overall: options.budget,
    credentialVersion,
    now,
  };
  const ratio = step.tokensPerByte.get(bucketOf(model.spec)) ?? usualTokensPerByte;
  const claim = toClaim(intent.id, claimant, reservation, ratio);
  if (options.recordCalls !== false) {
    const askedMs = performance.now();
    const admission = await step.journal.admit({
      intent,
      epoch: attempt.epoch,
      claim,
      subjects: step.subjects,
      vault: masked.vault && { originals: masked.vault, expiresAt: new Date(now.getTime() + options.vaultMs) },
    });
    if (!admission.ok) throw refusalOf(admission, { intent, reservation });
    masked.onVaultKept();
    if (performance.now() - askedMs > (admission.sendWithinMs ?? Infinity)) throw await giveBack(step, intent, model);
  }
  const { id, attempt: number, modelName, provider, model: modelId, startedAt } = intent;
  earlier.push({
    id,
    attempt: number,
    modelName,
    provider,
    model: modelId,
    startedAt,
    finishedAt: null,
    errorCode: null,
  });
  return intent;
}

/** Digests of keys, so that one is made once. */
const versions = new Map<string, string>();

async function versionOfKey({ resolveSecret }: ModelAccess, { spec }: ResolvedModel): Promise<string | null> {
  const reference = isSimulated(spec) ? null : keyOf(spec);
  if (reference === null) return null;
  const value = await resolveSecret(reference);
  const version = versions.get(value) ?? digestOf(value).slice(-16);
  versions.set(value, version);
  return version;
}

/** A process that stood still after its admission sends nothing: by now the request might be more than the limit lets through. */
async function giveBack({ journal, options }: AskingStep, intent: AiCallIntent, { spec }: ResolvedModel) {
  const now = options.now?.() ?? new Date();
  const settled = { inputTokens: null, outputTokens: null, costMicroUsd: 0, estimated: false };
  const error = new SluiceError("MODEL_UNAVAILABLE", {
    message: "the request was let through too long ago, and was not sent",
    hint: "Sluice asks for room again by itself.",
    details: { sent: "no" },
  });
  await journal.settle(intent, {
    ...settled,
    response: null,
    responseDigest: null,
    rung: null,
    status: "failed",
    error: toJson(error.toJSON()),
    finishedAt: now,
    settlement: toSettlement(intent.id, spec, { settled, headers: {}, error, lane: intent.lane, now }),
  });
  return new Postponed(now, "limit");
}

/** What a refused admission means for the step. */
function refusalOf(
  admission: Exclude<Admission, { ok: true }>,
  { intent, reservation }: { readonly intent: AiCallIntent; readonly reservation: Reservation },
): Error {
  const what = `${intent.provider} model ${intent.model} ("${intent.modelName}")`;
  if ("until" in admission) {
    return new Postponed(new Date(admission.until), admission.because === "circuit" ? "circuit" : "limit");
  }
  if (admission.because === "too_low") {
    return new SluiceError("MODEL_LIMIT_TOO_LOW", {
      message: `one call needs more than the whole limit of ${admission.limit} ${admission.kind} a minute of ${what}`,
      hint: "Nothing was sent. Send less, lower maxOutputTokens, or raise the limit in the configuration.",
    });
  }
  const { account, limitMicroUsd, spentMicroUsd } = admission;
  const neededMicroUsd = reservation.costMicroUsd ?? 0;
  return new SluiceError("BUDGET_EXCEEDED", {
    message: `budget ${account} of ${usd(limitMicroUsd)} has ${usd(limitMicroUsd - spentMicroUsd)} left, and a call of ${what} can cost ${usd(neededMicroUsd)}`,
    hint: "Nothing was sent. Raise the budget, lower maxOutputTokens, or say what is to be done with whenSpent.",
    details: { account, limitMicroUsd, spentMicroUsd, neededMicroUsd },
  });
}

function usd(microUsd: number): string {
  return `$${(microUsd / 1_000_000).toFixed(4)}`;
}
