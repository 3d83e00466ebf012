import type { AiFile, AiRequest, AnswerRung, JsonObject, Priority } from "../core/index.ts";
import { requestInBatch } from "./batch/request-in-batch.ts";
import { callModel, type ModelAnswer } from "./call.ts";
import type { ResolvedModel } from "./model-spec.ts";
import { goesInBatch } from "./prices.ts";
import { composeCorrection, type Prompt } from "./prompt.ts";
import { type ModelRequest, toRecord } from "./record-intent.ts";
import { type AskingStep, type OutgoingRequest, requestOnce } from "./request-once.ts";
import type { Verdict } from "./validate.ts";

/** Who is given the pieces of a stream. */
export interface TextListener {
  push(piece: string): void;
  end(): void;
}

/** How far a model has come with a question. */
export interface Ladder {
  prompt: Prompt;
  maxOutputTokens: number;
  corrections: number;
  isLonger: boolean;
}

/** A question to a model, masked and ready, with what its answer is held against. */
export interface TextQuestion<T> {
  readonly request: Pick<AiRequest, "maxOutputTokens" | "temperature">;
  readonly prompt: Prompt;
  /** Images and PDFs. */
  readonly files: readonly AiFile[];
  readonly lane: Priority;
  /** By the model's place: how far each has come, when the step had to wait in between. Default: each begins anew. */
  readonly ladders?: Map<number, Ladder>;
  /** Called for each request: who is given the answer piece by piece. */
  readonly listen?: (() => TextListener) | undefined;
  readonly validate: (answer: ModelAnswer) => Promise<Verdict<T>>;
  /** Masks what a check of the flow said of an answer: it may quote real values. */
  readonly maskComplaint: (text: string) => Promise<string>;
}

/** At most this often is a model asked again because its answer did not fit. */
const maxCorrections = 2;
const defaultMaxOutputTokens = 2000;

/**
 * The ladder at one model: an answer that does not fit is asked for again with what is wrong, at most twice; one that was cut
 * off, once with twice the limit. Each request is recorded and priced by itself.
 *
 * @param position the model's place in the list of its name; an answer of any but the first is a fallback.
 */
export async function askText<T>(
  step: AskingStep,
  question: TextQuestion<T>,
  model: ResolvedModel,
  position: number,
): Promise<T> {
  const ladder = question.ladders?.get(position) ?? toLadder(question);
  question.ladders?.set(position, ladder);
  for (;;) {
    const request = toRequest(question, ladder);
    const rungOf = (rung: AnswerRung): AnswerRung =>
      position > 0 ? "fallback" : ladder.corrections > 0 ? "asked_again" : rung;
    const pass = goesInBatch(model.spec, question.lane) ? requestInBatch : requestOnce;
    const { answer, verdict } = await pass(step, toOutgoing(step, question, model, request), async (given) => {
      const found = await question.validate(given);
      return found.ok ? { ...found, rung: rungOf(found.rung) } : found;
    });
    if (verdict.ok) return verdict.value;
    const { error, askAgain, complaint } = verdict.refusal;
    if (askAgain === "longer" && !ladder.isLonger) {
      ladder.isLonger = true;
      ladder.maxOutputTokens *= 2;
    } else if (askAgain === "corrected" && ladder.corrections < maxCorrections) {
      ladder.corrections += 1;
      ladder.prompt = composeCorrection(ladder.prompt, answer.text, await question.maskComplaint(complaint));
    } else {
      throw error;
    }
  }
}

function toLadder({ prompt, request }: Pick<TextQuestion<unknown>, "prompt" | "request">): Ladder {
  const maxOutputTokens = request.maxOutputTokens ?? defaultMaxOutputTokens;
  return { prompt, maxOutputTokens, corrections: 0, isLonger: false };
}

function toRequest(
  { request, files }: Pick<TextQuestion<unknown>, "request" | "files">,
  { prompt, maxOutputTokens }: Ladder,
): ModelRequest {
  return { prompt, files, maxOutputTokens, temperature: request.temperature ?? 0 };
}

function toOutgoing(
  { options }: AskingStep,
  { lane, listen }: Pick<TextQuestion<unknown>, "lane" | "listen">,
  model: ResolvedModel,
  request: ModelRequest,
): OutgoingRequest<ModelAnswer> {
  const { prompt, files, maxOutputTokens } = request;
  return {
    model,
    record: toRecord(request),
    load: {
      // The schema is counted twice: in the system text, and in the request's own field for it.
      texts: [prompt.system, textOf(prompt.schema), ...prompt.messages.map(({ content }) => content)],
      fileBytes: files.reduce((sum, { data }) => sum + data.length, 0),
      maxOutputTokens,
      lane,
    },
    async send(sending) {
      if (sending.access) {
        const whole = { ...model, spec: { ...model.spec, stream: false } };
        return callModel({ model: whole, request, ...sending, access: sending.access });
      }
      const listener = listen?.();
      const onText = listener && { onText: (piece: string) => listener.push(piece) };
      const answer = await callModel({ model, request, ...onText, ...sending, access: options });
      listener?.end();
      return answer;
    },
    toResponse: ({ text, finish }) => ({ text, finish }),
  };
}

function textOf(schema: JsonObject | null): string {
  return schema === null ? "" : JSON.stringify(schema);
}
