import { z } from "zod";
import {
  type Ai,
  type AiRequest,
  type ClassifyRequest,
  currentRun,
  type ObjectRequest,
  type RunScope,
  type Schema,
  SluiceError,
  type StepAttempt,
  toJsonSchema,
  toSluiceError,
} from "../core/index.ts";
import { callModel, type ModelAnswer } from "./call.ts";
import type { AiJournal } from "./journal.ts";
import { mask, type Masked } from "./mask.ts";
import { type Minimised, minimise } from "./minimise.ts";
import type { ModelAccess } from "./model-access.ts";
import type { ModelDescription, ResolvedModel, ResolvedModels } from "./model-spec.ts";
import { describeModels } from "./models.ts";
import { composeCorrection, composePrompt, type Prompt } from "./prompt.ts";
import { recordIntent } from "./record-intent.ts";
import { reserve } from "./reserve.ts";
import { restore } from "./restore.ts";
import { route } from "./route.ts";
import { recordOutcome, settleAnswer, settleFailure } from "./settle.ts";
import { rungOf, validateObject, validateText, type Verdict } from "./validate.ts";

/** What {@link createGateway} takes. */
export interface GatewayOptions extends ModelAccess {
  readonly models: ResolvedModels;
  /** Where the calls of a workspace are recorded. */
  readonly journalFor: (workspaceId: string) => AiJournal;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** The one way to a model. */
export interface Gateway {
  /** For the `run` functions of flows; the same object serves all runs. */
  readonly ai: Ai;
  /** Which models the names stand for. */
  describe(): readonly ModelDescription[];
}

/** Makes the gateway. Loads no library and opens no connection before the first call. */
export function createGateway(options: GatewayOptions): Gateway {
  // Async, so that a call outside a run is a rejected promise; the step itself begins at once, in the order of the calls.
  const ask = async <T>(what: string, name: string, question: Question<T>) =>
    stepOf(what, name, question, (run, attempt) =>
      answerQuestion(question, { options, now: options.now ?? (() => new Date()), run, attempt }),
    );
  return {
    ai: {
      object: (name, request) => ask("ai.object", name, objectQuestion(request)),
      text: (name, request) => ask("ai.text", name, { request, schema: null, validate: validateText }),
      classify: async (name, request) => (await ask("ai.classify", name, classifyQuestion(request))).label,
    },
    describe: () => describeModels(options.models),
  };
}

/** What is asked, and which answers will do. */
interface Question<T> {
  readonly request: AiRequest;
  /** Null for an answer in words. */
  readonly schema: Schema | null;
  readonly validate: (answer: ModelAnswer) => Verdict<T> | Promise<Verdict<T>>;
}

function objectQuestion<T>(request: ObjectRequest<T>): Question<T> {
  const { schema } = request;
  return { request, schema, validate: (answer) => validateObject(answer, schema) };
}

function classifyQuestion<Label extends string>(request: ClassifyRequest<Label>): Question<{ label: Label }> {
  const labels = Object.entries<string>(request.labels);
  if (labels.length === 0) {
    throw new SluiceError("FLOW_INVALID", {
      message: "ai.classify was given no labels",
      hint: "Name at least one label.",
    });
  }
  const schema: z.ZodType = z.object({ label: z.enum(Object.keys(request.labels)) });
  const meanings = labels.map(([label, meaning]) => `- ${label}: ${meaning}`).join("\n");
  const instructions = `${request.instructions.trim()}\n\nChoose the label that fits best:\n${meanings}`;
  return objectQuestion({ ...request, instructions, schema: schema as Schema<{ label: Label }> });
}

/** Makes the durable step. Only names are its input: the values stand in the record of the AI call, and can be erased there. */
function stepOf<T>(
  what: string,
  name: string,
  { request }: Question<T>,
  execute: (run: RunScope, attempt: StepAttempt) => Promise<T>,
): Promise<T> {
  const run = currentRun(what);
  const input = { model: modelNameOf(request), sent: Object.keys(request.send) };
  return run.step({ name, kind: "ai", input, execute: (attempt) => execute(run, attempt) });
}

function modelNameOf(request: AiRequest): string {
  return request.model ?? "fast";
}

/** Where a question is asked. */
interface Place {
  readonly options: GatewayOptions;
  readonly now: () => Date;
  readonly run: RunScope;
  readonly attempt: StepAttempt;
}

/** A question on its way through the stages. */
interface Passage<T> extends Place {
  readonly question: Question<T>;
  readonly journal: AiJournal;
  readonly data: Minimised;
  readonly masked: Masked;
  readonly model: ResolvedModel;
}

/** At most this often is an answer asked for again because it did not fit. */
const maxCorrections = 2;
const defaultMaxOutputTokens = 2000;

/** Runs the stages: 1 to 3 once, 4 to 8 for each request, 9 at the end. */
async function answerQuestion<T>(question: Question<T>, place: Place): Promise<T> {
  const { options, run } = place;
  const { request, schema } = question;
  const data = minimise(request.send, run.availableFields);
  const prompt = composePrompt(request.instructions, data.fields, schema && toJsonSchema(schema));
  const masked = await mask(prompt);
  const model = route(options.models, modelNameOf(request));
  const journal = options.journalFor(run.workspaceId);
  const value = await askUntilItFits({ ...place, question, journal, data, masked, model });
  return restore(value, masked);
}

/**
 * The ladder: an answer that does not fit is asked for again with the complaint, at most twice; one that was cut off, once with
 * twice the limit. Every request has its own row. What the provider failed at is thrown, for the engine to try again.
 */
async function askUntilItFits<T>(passage: Passage<T>): Promise<T> {
  const { request } = passage.question;
  let { prompt } = passage.masked;
  let maxOutputTokens = request.maxOutputTokens ?? defaultMaxOutputTokens;
  let corrections = 0;
  let isLonger = false;
  let number = await passage.journal.countOfStep(passage.run.runId, passage.attempt.path);
  for (;;) {
    number += 1;
    const { answer, verdict } = await askOnce(passage, { prompt, maxOutputTokens, number, corrections });
    if (verdict.ok) return verdict.value;
    const { error, askAgain, complaint } = verdict.refusal;
    if (askAgain === "longer" && !isLonger) {
      isLonger = true;
      maxOutputTokens *= 2;
    } else if (askAgain === "corrected" && corrections < maxCorrections) {
      corrections += 1;
      prompt = composeCorrection(prompt, answer.text, complaint);
    } else {
      throw error;
    }
  }
}

interface Round {
  readonly prompt: Prompt;
  readonly maxOutputTokens: number;
  /** Which request of the step this is, from 1. */
  readonly number: number;
  readonly corrections: number;
}

/** Stages 4 to 8 for one request. */
async function askOnce<T>(passage: Passage<T>, round: Round): Promise<{ answer: ModelAnswer; verdict: Verdict<T> }> {
  const { journal, model, data, run, attempt, now, options } = passage;
  const { prompt, maxOutputTokens } = round;
  const reservation = await reserve(model, prompt, maxOutputTokens);
  const request = { prompt, maxOutputTokens, temperature: passage.question.request.temperature ?? 0 };
  const place = { runId: run.runId, stepPath: attempt.path, attempt: round.number, epoch: attempt.epoch };
  const id = await recordIntent(journal, { place, model, data, request, now: now() });
  const call = { model, request, reservation, access: options, stop: attempt.signal, now };
  const answer = await callModel(call).catch(async (thrown: unknown) => {
    const error = toSluiceError(thrown);
    const settlement = settleFailure(model, error);
    await recordOutcome(journal, id, { settlement, answer: null, rung: null, error, now: now() });
    throw error;
  });
  const settlement = await settleAnswer(model, answer);
  const verdict = await passage.question.validate(answer);
  const rung = verdict.ok ? rungOf(verdict, round.corrections) : null;
  const error = verdict.ok ? null : verdict.refusal.error;
  await recordOutcome(journal, id, { settlement, answer, rung, error, now: now() });
  return { answer, verdict };
}
