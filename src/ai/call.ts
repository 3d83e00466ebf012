import { setTimeout } from "node:timers/promises";
import type { JSONValue } from "ai";
import type { JsonObject } from "../core/index.ts";
import { toModelError } from "./failures.ts";
import type { ModelAccess } from "./model-access.ts";
import { type HostedModelSpec, isSimulated, type ResolvedModel, type SimulatedModelSpec } from "./model-spec.ts";
import type { Usage } from "./prices.ts";
import { openHostedModel } from "./providers.ts";
import type { ModelRequest } from "./record-intent.ts";
import type { Reservation } from "./reserve.ts";
import { createSimulatedAnswer, simulatedLatencyMs } from "./simulated/answer.ts";

/** What a model answered. */
export interface ModelAnswer {
  /** As it came. */
  readonly text: string;
  /** `complete` also stands for reasons that say nothing, as some servers give none. */
  readonly finish: "complete" | "length" | "refused";
  /** Null when the provider did not say. */
  readonly usage: Usage | null;
}

/** One request, ready to be sent. */
export interface ModelCall {
  readonly model: ResolvedModel;
  readonly request: ModelRequest;
  /** The most that it can use. */
  readonly reservation: Reservation;
  readonly access: ModelAccess;
  readonly stop: AbortSignal;
  readonly now: () => Date;
}

const defaultTimeoutMs = 60_000;

/**
 * Stage 6: exactly one request to the model. Nothing is tried again here: the engine does, durably.
 *
 * @throws MODEL_* as the provider answers; PEER_MISSING, SECRET_MISSING or EGRESS_REFUSED when it cannot be asked.
 */
export async function callModel(call: ModelCall): Promise<ModelAnswer> {
  const { model, reservation, stop, now } = call;
  const { spec } = model;
  const timeoutMs = (isSimulated(spec) ? undefined : spec.timeoutMs) ?? defaultTimeoutMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    if (isSimulated(spec)) return await callSimulated(spec, call);
    return await callHosted(spec, call, AbortSignal.any([stop, deadline]));
  } catch (thrown) {
    throw toModelError(thrown, { model, reservation, stop, deadline, timeoutMs, now: now() });
  }
}

async function callHosted(spec: HostedModelSpec, call: ModelCall, abortSignal: AbortSignal): Promise<ModelAnswer> {
  const { prompt, maxOutputTokens, temperature } = call.request;
  const { generateText } = await loadSdk();
  const result = await generateText({
    model: await openHostedModel(spec, call.access),
    instructions: prompt.system,
    messages: [...prompt.messages],
    ...(takesSchema(spec, prompt.schema) && { output: rawJson(prompt.schema as Record<string, JSONValue>) }),
    maxOutputTokens,
    temperature,
    ...(spec.reasoning && { reasoning: spec.reasoning }),
    // Strict mode takes a subset of JSON Schema only and rejects the rest; our own ladder checks the answer in any case.
    providerOptions: { openai: { store: false, strictJsonSchema: false }, compatible: { strictJsonSchema: false } },
    maxRetries: 0,
    abortSignal,
    telemetry: { isEnabled: false },
  });
  return { text: result.text, finish: toFinish(result.finishReason), usage: toUsage(result.usage) };
}

/** Loaded with the first request, since it takes 0.1 s and 30 MB. */
async function loadSdk(): Promise<typeof import("ai")> {
  const sdk = await import("ai");
  // It prints warnings to the console, about settings that a model ignores.
  globalThis.AI_SDK_LOG_WARNINGS = false;
  return sdk;
}

/** Providers take a schema of an object only; for any other, what the prompt says must do. */
function takesSchema(spec: HostedModelSpec, schema: JsonObject | null): boolean {
  return spec.structuredOutput !== false && schema?.["type"] === "object";
}

/** Asks for JSON of a schema and leaves the text as it is, where the SDK's own output would throw at what can be repaired. */
function rawJson(schema: Record<string, JSONValue>) {
  return {
    name: "raw-json",
    responseFormat: Promise.resolve({ type: "json" as const, schema, name: "answer" }),
    parseCompleteOutput: ({ text }: { text: string }) => Promise.resolve(text),
    parsePartialOutput: () => Promise.resolve(undefined),
    createElementStreamTransform: () => undefined,
  };
}

function toFinish(reason: string): ModelAnswer["finish"] {
  if (reason === "length") return "length";
  return reason === "content-filter" ? "refused" : "complete";
}

interface SdkUsage {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly inputTokenDetails: { readonly cacheReadTokens: number | undefined };
}

function toUsage({ inputTokens, outputTokens, inputTokenDetails }: SdkUsage): Usage | null {
  if (inputTokens === undefined || outputTokens === undefined) return null;
  return { inputTokens, outputTokens, cachedInputTokens: inputTokenDetails.cacheReadTokens ?? 0 };
}

async function callSimulated(spec: SimulatedModelSpec, { request, stop }: ModelCall): Promise<ModelAnswer> {
  const { text, inputTokens, outputTokens } = createSimulatedAnswer(request.prompt);
  const latencyMs = simulatedLatencyMs(request.prompt, spec.latencyMs ?? 0);
  if (latencyMs > 0) await setTimeout(latencyMs, undefined, { signal: stop });
  return { text, finish: "complete", usage: { inputTokens, outputTokens, cachedInputTokens: 0 } };
}
