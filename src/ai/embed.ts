import { isSimulated, type HostedModelSpec, type ModelSpec } from "./model-spec.ts";
import { UnusableAnswer } from "./failures.ts";
import type { ModelAccess } from "./model-access.ts";
import { type ModelRequestCall, sendOnce, type SendContext } from "./model-request.ts";
import { openEmbeddingModel } from "./providers.ts";
import type { AnswerHeaders } from "./retry-after.ts";
import { embedSimulated } from "./simulated/embedding.ts";
import { type ModelUsage, toUsage } from "./usage.ts";

/** What a model for vectors answered. */
export interface EmbedAnswer {
  /** One for each text, in order, all of one length. */
  readonly vectors: readonly number[][];
  readonly usage: ModelUsage;
  readonly headers: AnswerHeaders;
}

/** One request for vectors. */
export interface EmbedCall extends ModelRequestCall<EmbedAnswer> {
  /** At most {@link textsPerRequest} of them. */
  readonly texts: readonly string[];
}

/** Exactly one request for vectors. @throws as `callModel`; CONFIG_INVALID when the provider has no such models. */
export function embedTexts(call: EmbedCall): Promise<EmbedAnswer> {
  const { spec } = call.model;
  return sendOnce(call, (context) =>
    isSimulated(spec) ? Promise.resolve(embedSimulated(call.texts)) : embedHosted(spec, call.texts, context),
  );
}

/** How many texts a provider takes with one request. @throws as `openEmbeddingModel`. */
export async function textsPerRequest(spec: ModelSpec, access: ModelAccess): Promise<number> {
  if (isSimulated(spec)) return Number.POSITIVE_INFINITY;
  const model = await openEmbeddingModel(spec, access);
  return (await model.maxEmbeddingsPerCall) ?? Number.POSITIVE_INFINITY;
}

async function embedHosted(
  spec: HostedModelSpec,
  texts: readonly string[],
  { access, time, wire }: SendContext,
): Promise<EmbedAnswer> {
  const model = await openEmbeddingModel(spec, access);
  const { embeddings, usage } = await model.doEmbed({ values: [...texts], abortSignal: time.signal });
  const length = embeddings[0]?.length ?? 0;
  if (embeddings.length !== texts.length || embeddings.some((vector) => !isVector(vector, length))) {
    throw new UnusableAnswer(`did not give a vector for each of ${texts.length} texts`, null);
  }
  const counts = {
    inputTokens: { total: usage?.tokens, cacheRead: 0 },
    outputTokens: { total: 0, reasoning: 0 },
  };
  const sentBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { vectors: embeddings, usage: toUsage(counts, { sentBytes, receivedBytes: 0 }), headers: wire.headers };
}

function isVector(vector: readonly number[], length: number): boolean {
  return vector.length === length && length > 0 && vector.every(Number.isFinite);
}
