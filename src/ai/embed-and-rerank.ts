import { currentRun, type EmbedRequest, type Json, type Ranked, type RerankRequest } from "../core/index.ts";
import { type Asked, askWithin, type GatewayParts, type Prepared, prepare, type StepMemory } from "./ask-step.ts";
import { embedTexts, type EmbedAnswer } from "./embed.ts";
import type { ResolvedModel } from "./model-spec.ts";
import { rerankDocuments, type RerankAnswer } from "./rerank.ts";
import { type OutgoingRequest, requestOnce } from "./request-once.ts";
import type { Told } from "./settle.ts";
import type { Priority } from "../core/index.ts";

/** Gives a vector for each text as a durable step: the vectors of what was masked. */
export function embed(parts: GatewayParts, name: string, request: EmbedRequest): Promise<number[][]> {
  const asked = toAsked("embedding", request.model ?? "embed", { texts: [...request.texts] }, request);
  return askAsStep(parts, "ai.embed", name, asked, ({ masked }, model, lane): OutgoingRequest<EmbedAnswer> => {
    const texts = toTexts(masked.fields["texts"]);
    return {
      model,
      record: { texts },
      load: { texts, fileBytes: 0, maxOutputTokens: 0, lane },
      send: (sending) => embedTexts({ model, texts, ...sending, access: parts.options }),
      // The vectors are the step's result; they say nothing to people.
      toResponse: ({ vectors }) => ({ vectors: vectors.length, dimensions: vectors[0]?.length ?? 0 }),
    };
  }).then(({ vectors }) => vectors.map((vector) => [...vector]));
}

/** Orders documents by how well they answer a query, as a durable step. */
export function rerank(parts: GatewayParts, name: string, request: RerankRequest): Promise<Ranked[]> {
  const { query, documents, top } = request;
  const asked = toAsked("rerank", request.model ?? "rerank", { query, documents: [...documents] }, request);
  return askAsStep(parts, "ai.rerank", name, asked, ({ masked }, model, lane): OutgoingRequest<RerankAnswer> => {
    const sent = { query: String(masked.fields["query"]), documents: toTexts(masked.fields["documents"]) };
    return {
      model,
      record: sent,
      load: { texts: [sent.query, ...sent.documents], fileBytes: 0, maxOutputTokens: 0, lane },
      send: (sending) => rerankDocuments({ model, ...sent, top: top ?? documents.length, ...sending, access: parts.options }),
      toResponse: ({ ranked }) => ranked.map((one) => ({ ...one })),
    };
  }).then(({ ranked }) => ranked.map((one) => ({ ...one })));
}

function toTexts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
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

async function askAsStep<Answer extends Told>(
  parts: GatewayParts,
  what: string,
  name: string,
  asked: Asked,
  toRequest: (prepared: Prepared, model: ResolvedModel, lane: Priority) => OutgoingRequest<Answer>,
): Promise<Answer> {
  const run = currentRun(what);
  const memory: StepMemory = { asked: false };
  return run.step({
    name,
    kind: "ai",
    input: { model: asked.modelName, sent: Object.keys(asked.fields) },
    execute: async (attempt) => {
      const prepared = await prepare(parts, asked, { run, attempt, memory });
      return askWithin(prepared.step, asked, async (model, position, lane) => {
        const { answer } = await requestOnce(prepared.step, toRequest(prepared, model, lane), async (given) => ({
          ok: true,
          value: given,
          rung: position > 0 ? "fallback" : "as_is",
        }));
        return answer;
      });
    },
  });
}
