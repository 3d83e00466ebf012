import { SluiceError, type SluiceErrorJson, toSluiceError } from "../core/index.ts";
import { callModel } from "./call.ts";
import { embedTexts } from "./embed.ts";
import { type SeenLimit, readLimitHeaders } from "./limit-headers.ts";
import type { ModelAccess } from "./model-access.ts";
import type { ModelRequestCall } from "./model-request.ts";
import { isSimulated, modelIdOf, type ModelSpec, type ResolvedModel, type ResolvedModels } from "./model-spec.ts";
import { costMicroUsd } from "./prices.ts";
import { type ModelKind, kindOf } from "./provider-facts.ts";
import { rerankDocuments } from "./rerank.ts";
import type { AnswerHeaders } from "./retry-after.ts";
import type { ModelUsage } from "./usage.ts";

/** How a model answered a question of a few words. */
export interface ModelTest {
  /** Name in the configuration. */
  readonly name: string;
  readonly provider: ModelSpec["provider"];
  readonly model: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  /** What the answer told of the account's limits. */
  readonly limits: readonly SeenLimit[];
  readonly usage: ModelUsage | null;
  /** Whole micro-dollars; null when the price is unknown, or there was no answer. */
  readonly costMicroUsd: number | null;
  /** Null when it answered. */
  readonly error: SluiceErrorJson | null;
}

/** What {@link testModel} takes besides the model. */
export interface ModelTestOptions {
  readonly access: ModelAccess;
  /** Default: never. */
  readonly stop?: AbortSignal;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** Every configured model, those that stand in for others included, in the order of the configuration. */
export function candidatesToTest(models: ResolvedModels, name?: string): Pick<ResolvedModel, "name" | "spec">[] {
  const named = [...models.values()].filter((model) => name === undefined || model.name === name);
  if (name !== undefined && named.length === 0) {
    throw new SluiceError("MODEL_UNKNOWN", {
      message: `model ${JSON.stringify(name)} is not configured; configured are ${[...models.keys()].join(", ")}`,
      hint: "Use one of the configured names.",
    });
  }
  return named.flatMap(({ spec, fallbacks, ...model }) =>
    [spec, ...fallbacks].map((each) => ({ name: model.name, spec: each })),
  );
}

/** What one test can use at most. */
const testReservation = { inputTokens: 400, outputTokens: 16 } as const;

/**
 * Asks one model once: for the word "ok", a vector of one word, or the order of two documents. A failure is told, not thrown.
 * Longer than 20 s is a failure.
 */
export async function testModel(
  model: Pick<ResolvedModel, "name" | "spec">,
  { access, stop = new AbortController().signal, now = () => new Date() }: ModelTestOptions,
): Promise<ModelTest> {
  const { name, spec } = model;
  const begunAt = now().getTime();
  const deadline = new Date(begunAt + testTimeoutMs);
  const about = { name, provider: spec.provider, model: modelIdOf(spec) };
  const beganMs = performance.now();
  try {
    const call = { model, reservation: testReservation, access, stop, now, deadline };
    const { usage, headers } = await askShortly(isSimulated(spec) ? "text" : kindOf(spec), call);
    const latencyMs = Math.round(performance.now() - beganMs);
    const limits = readLimitHeaders(headers, now().getTime());
    return { ...about, ok: true, latencyMs, limits, usage, costMicroUsd: await costMicroUsd(spec, usage), error: null };
  } catch (thrown) {
    const latencyMs = Math.round(performance.now() - beganMs);
    const error = toSluiceError(thrown).toJSON();
    return { ...about, ok: false, latencyMs, limits: [], usage: null, costMicroUsd: null, error };
  }
}

const testTimeoutMs = 20_000;

const question = {
  prompt: {
    system: "You are asked whether you can be reached.",
    messages: [{ role: "user", content: "Answer with the word ok." }],
    schema: null,
  },
  files: [],
  maxOutputTokens: testReservation.outputTokens,
  temperature: 0,
} as const;

type ShortAnswer = { readonly usage: ModelUsage; readonly headers: AnswerHeaders };

function askShortly(kind: ModelKind, call: ModelRequestCall<ShortAnswer>): Promise<ShortAnswer> {
  if (kind === "embedding") return embedTexts({ ...call, texts: ["ok"] });
  if (kind === "rerank") return rerankDocuments({ ...call, query: "water", documents: ["a river", "a desert"] });
  // A cut answer will do: that the model was reached is all that is asked.
  return callModel({ ...call, request: question });
}
