import {
  type AnswerRung,
  currentRun,
  type EmbedRequest,
  type Json,
  type Priority,
  type Ranked,
  type RerankRequest,
} from "../core/index.ts";
import { type Asked, askWithin, type GatewayParts, type Prepared, prepare, type StepMemory } from "./ask-step.ts";
import { embedTexts, type EmbedAnswer, textsPerRequest } from "./embed.ts";
import type { ResolvedModel } from "./model-spec.ts";
import { rerankDocuments, type RerankAnswer } from "./rerank.ts";
import { type OutgoingRequest, requestOnce } from "./request-once.ts";
import type { Verdict } from "./validate.ts";

/**
 * Gives a vector for each text as a durable step: the vectors of what was masked. Where a provider takes fewer texts at once,
 * there are several requests, one after the other.
 */
export function embed(parts: GatewayParts, name: string, request: EmbedRequest): Promise<number[][]> {
  const asked = toAsked("embedding", request.model ?? "embed", { texts: [...request.texts] }, request);
  return askAsStep(parts, "ai.embed", name, asked, async ({ step, masked }, model, { lane, rung }) => {
    const texts = toTexts(masked.fields["texts"]);
    const most = Math.min(texts.length, await textsPerRequest(model.spec, parts.options));
    const vectors: number[][] = [];
    for (let at = 0; at < texts.length; at += most) {
      const part = texts.slice(at, at + most);
      const { answer } = await requestOnce(step, toEmbedding(parts, model, part, lane), accept(rung));
      vectors.push(...answer.vectors.map((vector) => [...vector]));
    }
    return vectors;
  });
}

function toEmbedding(
  { options }: GatewayParts,
  model: ResolvedModel,
  texts: readonly string[],
  lane: Priority,
): OutgoingRequest<EmbedAnswer> {
  return {
    model,
    record: { texts },
    load: { texts, fileBytes: 0, maxOutputTokens: 0, lane },
    send: (sending) => embedTexts({ model, texts, ...sending, access: options }),
    // The vectors are the step's result; they say nothing to people.
    toResponse: ({ vectors }) => ({ vectors: vectors.length, dimensions: vectors[0]?.length ?? 0 }),
  };
}

/** Orders documents by how well they answer a query, as a durable step. */
export function rerank(parts: GatewayParts, name: string, request: RerankRequest): Promise<Ranked[]> {
  const { query, documents, top = documents.length } = request;
  const asked = toAsked("rerank", request.model ?? "rerank", { query, documents: [...documents] }, request);
  return askAsStep(parts, "ai.rerank", name, asked, async ({ step, masked }, model, { lane, rung }) => {
    const sent = {
      query: toTexts([masked.fields["query"] ?? ""])[0] ?? "",
      documents: toTexts(masked.fields["documents"]),
    };
    const outgoing: OutgoingRequest<RerankAnswer> = {
      model,
      record: sent,
      load: { texts: [sent.query, ...sent.documents], fileBytes: 0, maxOutputTokens: 0, lane },
      send: (sending) => rerankDocuments({ model, ...sent, top, ...sending, access: parts.options }),
      toResponse: ({ ranked }) => ranked.map((one) => ({ ...one })),
    };
    const { answer } = await requestOnce(step, outgoing, accept(rung));
    return answer.ranked.map((one) => ({ ...one }));
  });
}

/** Takes an answer as it is: whatever of its shape could be wrong was found when it was read. */
function accept(rung: AnswerRung) {
  return async <Answer>(value: Answer): Promise<Verdict<Answer>> => ({ ok: true, value, rung });
}

function toTexts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function toAsked(
  kind: Asked["kind"],
  modelName: string,
  fields: Asked["fields"],
  { dataClasses = [], masking }: Pick<EmbedRequest, "dataClasses" | "masking">,
): Asked {
  return {
    kind,
    modelName,
    instructions: "",
    fields,
    texts: [],
    files: [],
    schema: null,
    lane: undefined,
    dataClasses,
    masking,
  };
}

async function askAsStep<T>(
  parts: GatewayParts,
  what: string,
  name: string,
  asked: Asked,
  ask: (
    prepared: Prepared,
    model: ResolvedModel,
    way: { readonly lane: Priority; readonly rung: AnswerRung },
  ) => Promise<T>,
): Promise<T> {
  const run = currentRun(what);
  const memory: StepMemory = { asked: false, ladders: new Map() };
  return run.step({
    name,
    kind: "ai",
    input: { model: asked.modelName, sent: Object.keys(asked.fields) },
    execute: async (attempt) => {
      const prepared = await prepare(parts, asked, { run, attempt, memory });
      return askWithin(prepared.step, asked, (model, position, lane) =>
        ask(prepared, model, { lane, rung: position > 0 ? "fallback" : "as_is" }),
      );
    },
  });
}
