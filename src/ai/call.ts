import { setTimeout } from "node:timers/promises";
import { isSimulated, type HostedModelSpec, type SimulatedModelSpec } from "./model-spec.ts";
import { type ModelRequestCall, sendOnce, type SendContext } from "./model-request.ts";
import type { AnswerHeaders } from "./retry-after.ts";
import { readAnswer, readStream, type TextAnswer } from "./provider-answer.ts";
import { bytesOf, toSdkCall } from "./provider-prompt.ts";
import { openLanguageModel } from "./providers.ts";
import type { ModelRequest } from "./record-intent.ts";
import { createSimulatedAnswer, simulatedLatencyMs } from "./simulated/answer.ts";

/** What a model answered. */
export interface ModelAnswer extends TextAnswer {
  /** Of the provider's answer, by lower-case name; empty for the simulated model. */
  readonly headers: AnswerHeaders;
}

/** One request, ready to be sent. */
export interface ModelCall extends ModelRequestCall<ModelAnswer> {
  readonly request: ModelRequest;
  /** Given the answer piece by piece as it comes; the request is then always streamed. Must not throw. */
  readonly onText?: (text: string) => void;
}

/** The times after which a silent stream is given up, where the model's configuration says nothing. */
const firstTokenTimeoutMs = 60_000;
const idleTimeoutMs = 30_000;

/**
 * Stage 6: exactly one request to the model. Nothing is tried again here: the engine does, durably.
 *
 * @throws MODEL_INPUT_UNSUPPORTED before anything is sent; MODEL_* as the provider answers, with `details` as `toModelError` says;
 * PEER_MISSING, SECRET_MISSING or EGRESS_REFUSED when it cannot be asked; the reason of `stop` when that fired.
 */
export async function callModel(call: ModelCall): Promise<ModelAnswer> {
  const { spec } = call.model;
  if (isSimulated(spec)) return sendOnce(call, (context) => callSimulated(spec, call, context));
  const isStreamed = call.onText !== undefined || spec.stream === true;
  // A stream that is given up tells no usage any more, so that there is nothing to listen for.
  if (isStreamed) return sendOnce({ ...call, onLate: undefined }, (context) => callStreamed(spec, call, context));
  return sendOnce(call, (context) => callWhole(spec, call, context));
}

async function callWhole(spec: HostedModelSpec, call: ModelCall, context: SendContext): Promise<ModelAnswer> {
  const { request } = call;
  const sdkCall = toSdkCall(spec, request, context.time.signal);
  const model = await openLanguageModel(spec, context.access);
  const result = await model.doGenerate(sdkCall);
  return { ...readAnswer(result, bytesOf(request.prompt)), headers: context.wire.headers };
}

async function callStreamed(spec: HostedModelSpec, call: ModelCall, context: SendContext): Promise<ModelAnswer> {
  const { time, wire, sizes, access } = context;
  const sdkCall = toSdkCall(spec, call.request, time.signal);
  const model = await openLanguageModel(spec, access);
  sizes.sentBytes = bytesOf(call.request.prompt);
  time.expect("first piece of the answer", spec.firstTokenTimeoutMs ?? firstTokenTimeoutMs);
  const { stream } = await model.doStream(sdkCall);
  const onNext = (): void => time.expect("next piece of the answer", spec.idleTimeoutMs ?? idleTimeoutMs);
  const answer = await readStream(stream, { sizes, onNext, onText: call.onText ?? (() => {}) });
  return { ...answer, headers: wire.headers };
}

async function callSimulated(
  spec: SimulatedModelSpec,
  { request, onText }: ModelCall,
  { time }: SendContext,
): Promise<ModelAnswer> {
  const { text, inputTokens, outputTokens } = createSimulatedAnswer(request.prompt);
  const latencyMs = simulatedLatencyMs(request.prompt, spec.latencyMs ?? 0);
  if (latencyMs > 0) await setTimeout(latencyMs, undefined, { signal: time.signal });
  onText?.(text);
  const usage = { inputTokens, outputTokens, cachedInputTokens: 0, reasoningTokens: 0, estimated: false };
  return { text, finish: "complete", usage, headers: {} };
}
