import type { Prompt } from "./prompt.ts";

/** A prompt as it may leave, with the way back. */
export interface Masked {
  readonly prompt: Prompt;
  /** Each placeholder in the prompt, such as `PERSON_1`, with what it stands for. */
  readonly originals: ReadonlyMap<string, string>;
}

/** Stage 2: no detector of personal data exists yet, so the prompt leaves as it came and no placeholder is made. */
export async function mask(prompt: Prompt): Promise<Masked> {
  return { prompt, originals: new Map() };
}
