import { digestOf, type Json, Postponed, SluiceError, toSluiceError } from "../../core/index.ts";
import type { BatchAnswer, BatchItem } from "../../store/index.ts";
import type { ModelAccess, ModelFetch } from "../model-access.ts";
import { modelIdOf } from "../model-spec.ts";
import { admit, type AskingStep, type OutgoingRequest, requestOnce, type RequestResult } from "../request-once.ts";
import { CallClosing } from "../call-closing.ts";
import { reserve } from "../reserve.ts";
import type { Told } from "../settle.ts";
import type { Verdict } from "../validate.ts";

/** After this the request is made at once, at the usual price; providers promise a day. */
const patienceMs = 25 * 60 * 60_000;

/** How long a run rests before it looks again by itself; it is woken when its answer is collected. */
const restMs = 5 * 60_000;

/**
 * Stages 4 to 8 for one request by the provider's batch API, which answers within a day at about half the price. The request
 * is made as any other and caught on its way out; the run waits; the answer is given to the same code as one that came at once.
 *
 * A request that the batch did not answer, or not with what a model says, is made at once.
 *
 * @throws Postponed until the answer is there; else as {@link requestOnce}.
 */
export async function requestInBatch<Answer extends Told, T>(
  step: AskingStep,
  request: OutgoingRequest<Answer>,
  validate: (answer: Answer) => Promise<Verdict<T>>,
): Promise<RequestResult<Answer, T>> {
  const ticket = ticketOf(step, request);
  const { batches } = step.journal;
  const item = await batches.find(ticket);
  if (item && isOver(step, item)) {
    await batches.giveUp(ticket);
    await closeUnanswered(step, request, item);
  } else if (item?.state === "done" && item.answer) {
    const result = await takeAnswer(step, request, { callId: item.callId, answer: item.answer }, validate);
    if (result) return result;
  } else {
    if (!item) await putInLine(step, request, ticket);
    throw new Postponed(new Date(nowOf(step).getTime() + restMs), "batch");
  }
  return requestOnce(step, { ...request, load: { ...request.load, lane: "standard" } }, validate);
}

/** The same for all executions of a step that ask the same of the same model: what was asked word for word is not asked again. */
function ticketOf<Answer extends Told>({ attempt }: AskingStep, { model, record }: OutgoingRequest<Answer>): string {
  const { spec } = model;
  return `${attempt.key}/${digestOf({ provider: spec.provider, model: modelIdOf(spec), record }).slice(-16)}`;
}

function nowOf({ options }: AskingStep): Date {
  return options.now?.() ?? new Date();
}

function isOver(step: AskingStep, { state, createdAt }: BatchItem): boolean {
  return state === "failed" || (state !== "done" && nowOf(step).getTime() - createdAt.getTime() > patienceMs);
}

async function putInLine<Answer extends Told>(
  step: AskingStep,
  request: OutgoingRequest<Answer>,
  ticket: string,
): Promise<void> {
  const { spec, name } = request.model;
  const reservation = await reserve(spec, request.load);
  const body = await catchBody(step, request, reservation);
  const { id, runId } = await admit(step, request, reservation, nowOf(step));
  await step.journal.batches.add({
    callId: id,
    runId,
    ticket,
    provider: spec.provider,
    model: modelIdOf(spec),
    modelName: name,
    body,
  });
}

/** Lets the provider's package make the request, and keeps what it was about to send. */
async function catchBody<Answer extends Told>(
  step: AskingStep,
  request: OutgoingRequest<Answer>,
  reservation: Awaited<ReturnType<typeof reserve>>,
): Promise<Json> {
  let body: Json | undefined;
  const access = withFetch(step, async (_, init) => {
    body = typeof init?.body === "string" ? (JSON.parse(init.body) as Json) : undefined;
    throw new Error("caught for a batch");
  });
  const sending = { reservation, stop: step.attempt.signal, now: () => nowOf(step), onLate: () => {}, access };
  const sent = request.send(sending);
  const failure = await sent.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (body === undefined) throw failure ?? new Error("the request was not made");
  return body;
}

/** Hands a stored answer to the code that takes one that came at once. Null when it is none, and is on record as that. */
async function takeAnswer<Answer extends Told, T>(
  step: AskingStep,
  request: OutgoingRequest<Answer>,
  { callId, answer: stored }: { readonly callId: string; readonly answer: BatchAnswer },
  validate: (answer: Answer) => Promise<Verdict<T>>,
): Promise<RequestResult<Answer, T> | null> {
  const now = (): Date => nowOf(step);
  const reservation = await reserve(request.model.spec, request.load);
  const { status, body } = stored;
  const headers = { "content-type": "application/json" };
  const access = withFetch(step, async () => new Response(JSON.stringify(body), { status, headers }));
  const close = new CallClosing(
    step,
    request,
    { id: callId, runId: step.run.runId },
    { inputBytes: reservation.inputTokens, now },
  );
  // Nothing is under way that could be stopped, and a failure on record must be the provider's.
  const stop = new AbortController().signal;
  const sent = await request.send({ reservation, stop, now, onLate: () => {}, access }).then(
    (answer) => ({ answer }),
    (thrown: unknown) => ({ error: toSluiceError(thrown) }),
  );
  if ("error" in sent) {
    await recordFailure(close, sent.error);
    if (status === 200 && !sent.error.retryable) throw sent.error;
    return null;
  }
  const verdict = await validate(sent.answer);
  await close.answered(sent.answer, verdict);
  return { answer: sent.answer, verdict };
}

/** Records that the batch did not answer; no provider charges for that. Of one that it still has nobody knows. */
async function closeUnanswered<Answer extends Told>(
  step: AskingStep,
  request: OutgoingRequest<Answer>,
  { callId, state }: BatchItem,
): Promise<void> {
  const reservation = await reserve(request.model.spec, request.load);
  const call = { id: callId, runId: step.run.runId };
  const close = new CallClosing(step, request, call, { inputBytes: reservation.inputTokens, now: () => nowOf(step) });
  const error = new SluiceError("MODEL_UNAVAILABLE", {
    message: `the batch of ${request.model.spec.provider} did not answer this request`,
    hint: "It is made at once, at the usual price.",
    details: { sent: state === "submitted" ? "yes" : "no" },
  });
  await recordFailure(close, error);
}

async function recordFailure(
  close: { readonly failed: (thrown: unknown) => Promise<never> },
  error: SluiceError,
): Promise<void> {
  await close.failed(error).catch((thrown: unknown) => {
    if (thrown !== error) throw thrown;
  });
}

function withFetch({ options }: AskingStep, fetch: ModelFetch): ModelAccess {
  return { fetch, resolveSecret: options.resolveSecret };
}
