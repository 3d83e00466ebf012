import type { ResolvedModel } from "./model-spec.ts";
import { costMicroUsd } from "./prices.ts";
import type { Prompt } from "./prompt.ts";

/** The most that a call can use. */
export interface Reservation {
  /** Bound of the input: one token for each byte of UTF-8, since no tokenizer makes more. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Whole micro-dollars; null when the model's price is unknown. */
  readonly costMicroUsd: number | null;
}

/** Stage 4: the worst case is worked out and carried on; no budget or rate limit is held against it yet. */
export async function reserve(model: ResolvedModel, prompt: Prompt, maxOutputTokens: number): Promise<Reservation> {
  // The schema is counted twice: in the system text, and in the request's own field for it.
  const texts = [prompt.system, JSON.stringify(prompt.schema), ...prompt.messages.map((message) => message.content)];
  const inputTokens = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const usage = { inputTokens, outputTokens: maxOutputTokens, cachedInputTokens: 0 };
  return { inputTokens, outputTokens: maxOutputTokens, costMicroUsd: await costMicroUsd(model.spec, usage) };
}
