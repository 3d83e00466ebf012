import { digestOf, type Json, Postponed } from "../../core/index.ts";
import type { BatchItem } from "../../store/index.ts";
import type { ModelAccess, ModelFetch } from "../model-access.ts";
import { modelIdOf } from "../model-spec.ts";
import {
  admit,
  type AskingStep,
  createClosing,
  type OutgoingRequest,
  requestOnce,
  type RequestResult,
} from "../request-once.ts";
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
 * A request that the batch did not answer in time is made at once.
 *
 * @throws Postponed until the answer is there; else as {@link requestOnce}.
 */
export async function requestInBatch<Answer extends Told, T>(
  step: AskingStep,
  request: OutgoingRequest<Answer>,
  validate: (answer: Answer) => Promise<Verdict<T>>,
): Promise<RequestResult<Answer, T>> {
  const ticket = `${step.attempt.key}/${digestOf(request.record).slice(-16)}`;
  const item = await step.journal.batches.find(ticket);
  if (item && isOver(step, item)) {
    return requestOnce(step, { ...request, load: { ...request.load, lane: "standard" } }, validate);
  }
  if (!item) await putInLine(step, request, ticket);
  if (item?.state !== "done" || !item.answer) throw new Postponed(new Date(nowOf(step).getTime() + restMs), "batch");
  const given = { item, answer: item.answer };
  return takeAnswer(step, request, given, validate);
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

async function takeAnswer<Answer extends Told, T>(
  step: AskingStep,
  request: OutgoingRequest<Answer>,
  { item, answer: stored }: { readonly item: BatchItem; readonly answer: NonNullable<BatchItem["answer"]> },
  validate: (answer: Answer) => Promise<Verdict<T>>,
): Promise<RequestResult<Answer, T>> {
  const now = (): Date => nowOf(step);
  const reservation = await reserve(request.model.spec, request.load);
  const access = withFetch(
    step,
    async () =>
      new Response(JSON.stringify(stored.body), {
        status: stored.status,
        headers: { "content-type": "application/json" },
      }),
  );
  const close = createClosing(step, request, { id: item.callId, runId: step.run.runId }, { reservation, now });
  const answer = await request
    .send({ reservation, stop: step.attempt.signal, now, onLate: () => {}, access })
    .catch(close.failed);
  const verdict = await validate(answer);
  await close.answered(answer, verdict);
  return { answer, verdict };
}

function withFetch({ options }: AskingStep, fetch: ModelFetch): ModelAccess {
  return { fetch, resolveSecret: options.resolveSecret };
}
