import { z } from "zod";
import {
  type Ai,
  type AiFile,
  type AiRequest,
  type Check,
  type ClassifyRequest,
  currentRun,
  type ObjectRequest,
  type Schema,
  SluiceError,
  type TextRequest,
  toJsonSchema,
} from "../core/index.ts";
import { askPeople, withPlace } from "./ask-people.ts";
import { type Asked, askWithin, type GatewayParts, type Prepared, prepare, type StepMemory } from "./ask-step.ts";
import { askText, type TextListener } from "./ask-text.ts";
import type { ModelAnswer } from "./call.ts";
import { embed, rerank } from "./embed-and-rerank.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { judgeAnswer } from "./judge.ts";
import { createStreamRestorer, restoreText, restoreValue } from "./mask/index.ts";
import type { ModelDescription } from "./model-spec.ts";
import { describeModels } from "./models.ts";
import { composePrompt } from "./prompt.ts";
import { RunMasking } from "./run-masking.ts";
import { validateObject, validateText, type Verdict, withChecks } from "./validate.ts";

/** The one way to a model. */
export interface Gateway {
  /** For the `run` functions of flows; the same object serves all runs. */
  readonly ai: Ai;
  /** Which models the names stand for. */
  describe(): readonly ModelDescription[];
}

/** Makes the gateway. Loads no library and opens no connection before the first call. */
export function createGateway(options: GatewayOptions): Gateway {
  const parts: GatewayParts = { options, masking: new RunMasking(options.detectors), tokensPerByte: new Map() };
  // Async, so that a call outside a run is a rejected promise; the step itself begins at once, in the order of the calls.
  return {
    ai: {
      object: async (name, request) => askForObject(parts, "ai.object", name, request),
      text: async (name, request) => askForText(parts, name, request),
      classify: async (name, request) => {
        const question = toObjectRequest(request);
        return (await askForObject(parts, "ai.classify", name, question)).label;
      },
      embed: async (name, request) => embed(parts, name, request),
      rerank: async (name, request) => rerank(parts, name, request),
    },
    describe: () => describeModels(options.models),
  };
}

function toObjectRequest<Label extends string>(request: ClassifyRequest<Label>): ObjectRequest<{ label: Label }> {
  const { labels, ...rest } = request;
  const entries = Object.entries<string>(labels);
  if (entries.length === 0) {
    throw new SluiceError("FLOW_INVALID", {
      message: "ai.classify was given no labels",
      hint: "Name at least one label.",
    });
  }
  const schema: z.ZodType = z.object({ label: z.enum(Object.keys(labels)) });
  const meanings = entries.map(([label, meaning]) => `- ${label}: ${meaning}`).join("\n");
  const instructions = `${request.instructions.trim()}\n\nChoose the label that fits best:\n${meanings}`;
  return { ...rest, instructions, schema: schema as Schema<{ label: Label }> };
}

function askForText(parts: GatewayParts, name: string, request: TextRequest): Promise<string> {
  const question = { name, request, schema: null };
  return askPeople(parts.options, currentRun("ai.text"), question, () =>
    askAsStep(parts, "ai.text", question, (prepared) => {
      const { originals } = prepared.masked;
      const restore = (text: string): string => (request.restore === false ? text : restoreText(text, originals));
      return { validate: async (answer) => validateText(answer, restore), listen: toListener(request, originals) };
    }),
  );
}

function askForObject<T>(parts: GatewayParts, what: string, name: string, request: ObjectRequest<T>): Promise<T> {
  const checks = toList(request.check);
  const question = {
    name,
    request,
    schema: toJsonSchema(request.schema),
    answer: withChecks({ schema: request.schema, checks }),
  };
  return askPeople(parts.options, currentRun(what), question, () =>
    askAsStep(parts, what, question, (prepared) => {
      const restore = <V>(value: V): V =>
        request.restore === false ? value : restoreValue(value, prepared.masked.originals);
      const conditions = { schema: request.schema, checks, restore };
      return {
        validate: async (answer) => {
          const verdict = await validateObject(answer, conditions);
          if (!verdict.ok || !request.judge) return verdict;
          return judgeAnswer(prepared, request.judge, { answer: answer.text, verdict });
        },
      };
    }),
  );
}

function toList<T>(check: Check<T> | readonly Check<T>[] | undefined): readonly Check<T>[] {
  if (check === undefined) return [];
  return typeof check === "function" ? [check] : check;
}

/** Gives pieces of a stream with real values; a placeholder that comes in two pieces is held back until it is whole. */
function toListener({ onText, restore }: TextRequest, originals: Prepared["masked"]["originals"]) {
  if (!onText) return undefined;
  return (): TextListener => {
    const restorer = createStreamRestorer(restore === false ? {} : originals);
    return {
      push: (piece) => giveText(onText, restorer.push(piece)),
      end: () => giveText(onText, restorer.end()),
    };
  };
}

function giveText(onText: (text: string) => void, text: string): void {
  if (text !== "") onText(text);
}

/** What is special to a question, once its data is masked. */
interface Special<T> {
  readonly validate: (answer: ModelAnswer) => Promise<Verdict<T>>;
  readonly listen?: (() => TextListener) | undefined;
}

/** A durable step that asks for text. Only names are its input: the values stand in the record of the call, and can be erased there. */
function askAsStep<T>(
  parts: GatewayParts,
  what: string,
  { name, request, schema }: { readonly name: string; readonly request: AiRequest; readonly schema: Asked["schema"] },
  toSpecial: (prepared: Prepared) => Special<T>,
): Promise<T> {
  const run = currentRun(what);
  const asked = toAsked(request, schema);
  const memory: StepMemory = { asked: false, ladders: new Map() };
  return run.step({
    name,
    kind: "ai",
    input: { model: asked.modelName, sent: Object.keys(request.send) },
    execute: async (attempt) => {
      const prepared = await prepare(parts, asked, { run, attempt, memory });
      const { masked, step, maskLater } = prepared;
      const fields = masked.texts.length === 0 ? masked.fields : { ...masked.fields, attached_texts: masked.texts };
      const prompt = composePrompt(masked.instructions, fields, schema);
      const special = toSpecial(prepared);
      return askWithin(step, asked, (model, position, lane) =>
        askText(
          step,
          { request, prompt, files: asked.files, lane, maskComplaint: maskLater, ladders: memory.ladders, ...special },
          model,
          position,
        ),
      ).catch((thrown: unknown) => {
        throw withPlace(thrown, attempt.path);
      });
    },
  });
}

const isText = ({ mediaType }: AiFile): boolean => mediaType.startsWith("text/");

/** Text files are data like any other: they are masked, and sent as a field. */
function toAsked(request: AiRequest, schema: Asked["schema"]): Asked {
  const files = request.files ?? [];
  return {
    kind: "text",
    modelName: request.model ?? "fast",
    instructions: request.instructions,
    fields: request.send,
    texts: files.filter(isText).map(({ data }) => Buffer.from(data, "base64").toString()),
    files: files.filter((file) => !isText(file)),
    schema,
    lane: request.lane,
    dataClasses: request.dataClasses ?? [],
    masking: request.masking,
  };
}
