import { contentText, type Brain, type ChatRequest } from "./brain.ts";
import type { AnswerEdit, IncomingCall, ModelAnswer, Reply } from "./exchange.ts";
import type { RateWindows } from "./model-limits.ts";
import { refusedByLimit, type ModelVendor } from "./model-vendor.ts";

/** Rule of thumb for English; the sandbox has no tokenizer. */
const charactersPerToken = 4;

const tokensIn = (text: string): number => Math.ceil(text.length / charactersPerToken);

/** One request to a model: a call of its own, or a part of a batch. */
export interface ModelTurn extends Pick<IncomingCall, "at" | "body"> {
  /** What makes the ids in its answer its own. */
  readonly id: string;
}

/** What answers a request: a brain, and how a fault spoils what it says. */
export interface ModelMind {
  readonly brain: Brain;
  readonly edit?: AnswerEdit | undefined;
}

/** What an answer used, in tokens. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A request that is understood and fits its model. What is left is to answer it. */
export interface ReadyRequest {
  readonly model: string;
  readonly inputTokens: number;
  answer(): Promise<{ readonly reply: Reply; readonly outputTokens: number }>;
}

/** Reads a request of one API; gives the refusal when it cannot be answered. */
export type PrepareRequest = (turn: ModelTurn, mind: ModelMind) => ReadyRequest | Reply;

/** Checks that the model exists and takes as much text. */
export function prepare(
  vendor: ModelVendor,
  { model, text }: { readonly model: string; readonly text: string },
  answer: (inputTokens: number) => Promise<{ reply: Reply; outputTokens: number }>,
): ReadyRequest | Reply {
  if (!vendor.knownModel.test(model)) return vendor.modelNotFound(model);
  const inputTokens = tokensIn(text);
  if (inputTokens > vendor.contextTokens) return vendor.contextExceeded(inputTokens);
  return { model, inputTokens, answer: () => answer(inputTokens) };
}

/** What a request for text asks for, whichever API it came by. */
export interface TextRequest extends ModelMind {
  readonly request: ChatRequest;
  /** Default: no limit. */
  readonly maxTokens: number;
  /** Writes the answer as the API does; usage is undefined where it is to be left out. */
  readonly write: (answer: ModelAnswer, usage: ModelUsage | undefined) => Reply;
}

/** A request for text: what the brain says, cut at the limit asked for, spoilt by the fault. */
export function prepareText(vendor: ModelVendor, text: TextRequest): ReadyRequest | Reply {
  const { request, maxTokens, brain, edit, write } = text;
  const prompt = request.messages.map((message) => contentText(message.content)).join("\n");
  return prepare(vendor, { model: request.model, text: prompt }, async (inputTokens) => {
    const thought = await think(brain, request);
    if (thought === undefined) return { reply: vendor.serverError(), outputTokens: 0 };
    const content = thought.slice(0, maxTokens * charactersPerToken);
    const natural = { content, finishReason: content === thought ? "stop" : "length" } as const;
    const answer: ModelAnswer = edit?.(natural) ?? natural;
    const outputTokens = tokensIn(content);
    const usage = answer.usageMissing ? undefined : { inputTokens, outputTokens };
    return { reply: write(answer, usage), outputTokens };
  });
}

/** What a fault that spoils text does to vectors: it leaves them out, or what they cost, or it does nothing. */
export function spoiltVectors(edit: ModelMind["edit"]): { readonly isEmpty: boolean; readonly usageMissing: boolean } {
  const answer: ModelAnswer | undefined = edit?.({ content: "vectors", finishReason: "stop" });
  return { isEmpty: answer?.content === "", usageMissing: answer?.usageMissing === true };
}

/** A brain that fails is a server that fails: the call is answered and recorded as such. */
async function think(brain: Brain, request: ChatRequest): Promise<string | undefined> {
  try {
    const { content } = await brain(request);
    if (typeof content !== "string") throw new TypeError("content is not a string");
    return content;
  } catch (error) {
    process.stderr.write(`sandbox: the brain threw ${error instanceof Error ? error.name : typeof error}\n`);
    return undefined;
  }
}

/** Answers a call to a model within the limits, and tells them in headers. */
export async function answerWithinLimits(
  vendor: ModelVendor,
  ready: ReadyRequest | Reply,
  { call, windows }: { readonly call: IncomingCall; readonly windows: RateWindows },
): Promise<Reply> {
  if ("status" in ready) return ready;
  const admission = windows.admit(call.system, ready.model, ready.inputTokens, call.at);
  if (admission.waitMs > 0) return refusedByLimit(vendor, admission, call.at);
  const { reply, outputTokens } = await ready.answer();
  admission.settle(outputTokens);
  return { ...reply, headers: { ...vendor.limitHeaders(admission.standing(), call.at), ...reply.headers } };
}

/** Answers a request of a batch, which no limit of single requests holds back. */
export async function answerAtOnce(ready: ReadyRequest | Reply): Promise<Reply> {
  return "status" in ready ? ready : (await ready.answer()).reply;
}
