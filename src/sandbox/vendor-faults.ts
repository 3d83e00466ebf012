import { anthropic, outputBlocked } from "./anthropic-answers.ts";
import { cohere } from "./cohere-answers.ts";
import type { FaultPlay } from "./exchange.ts";
import { makesBatch, modelFaults, textFaults } from "./model-faults.ts";
import { openai, promptFiltered } from "./openai-answers.ts";

const serverFailed = { type: "server_error", code: "server_error", message: "The server had an error.", param: null };

/** The faults of OpenAI's stand-in. */
export const openaiFaults = {
  ...modelFaults(openai),
  ...textFaults(openai, (stream) =>
    stream.includes("event: response.")
      ? `event: error\ndata: ${JSON.stringify({ ...serverFailed, type: "error", sequence_number: 1 })}\n\n`
      : `data: ${JSON.stringify({ error: serverFailed })}\n\n`,
  ),
  /** Finish reason `content_filter`, and no text. */
  content_filter: ({ handle }) => handle(() => ({ content: "", finishReason: "content_filter" })),
  /** Status 400: the prompt itself is refused, as Azure does. */
  prompt_filtered: promptFiltered,
  /** A batch whose input is not valid. */
  batch_failed: makesBatch(() => ({ fate: "failed" })),
} as const satisfies Record<string, FaultPlay>;

/** The faults of Anthropic's stand-in. */
export const anthropicFaults = {
  ...modelFaults(anthropic),
  ...textFaults(anthropic, () => {
    const error = { type: "overloaded_error", message: "Overloaded" };
    return `event: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`;
  }),
  /** Status 400: the answer is held back. */
  content_filter: outputBlocked,
} as const satisfies Record<string, FaultPlay>;

/** The faults of Cohere's stand-in. */
export const cohereFaults = modelFaults(cohere);
