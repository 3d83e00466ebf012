import { anthropic } from "./anthropic-answers.ts";
import { answerAnthropicBatches } from "./anthropic-batches.ts";
import { prepareMessage } from "./anthropic-messages.ts";
import type { AnswerOne } from "./batches.ts";
import { bearerToken, type IncomingCall, type Reply } from "./exchange.ts";
import { answerAtOnce, answerWithinLimits } from "./model-request.ts";
import type { ModelSettings } from "./model-settings.ts";

const listedModels = ["sandbox-fast", "claude-sonnet-4-5"];

/**
 * Anthropic's API: messages, whole or streamed, message batches, and the list of models.
 *
 * @see https://platform.claude.com/docs/en/api/overview
 */
export function answerAnthropic(call: IncomingCall, settings: ModelSettings): Reply | Promise<Reply> {
  if ((call.headers["x-api-key"] ?? bearerToken(call)) !== settings.key) return anthropic.invalidKey();
  if (call.headers["anthropic-version"] === undefined) {
    return anthropic.invalidRequest("anthropic-version: header is required");
  }
  if (call.bodyState === "broken") return anthropic.invalidRequest("The request body is not valid JSON.");
  if (call.method === "POST" && call.resource === "/messages") {
    const ready = prepareMessage({ id: String(call.number), at: call.at, body: call.body }, settings);
    return answerWithinLimits(anthropic, ready, { call, windows: settings.windows });
  }
  if (call.method === "GET" && call.resource === "/models") {
    return { status: 200, body: { data: listedModels.map(toModel), has_more: false } };
  }
  const answerOne: AnswerOne = ({ body }, id) =>
    answerAtOnce(prepareMessage({ id, at: call.at, body }, { brain: settings.brain }));
  return answerAnthropicBatches(call, { ...settings.batches, answerOne }) ?? anthropic.invalidRequest("Not found", 404);
}

const toModel = (id: string) => ({ id, type: "model", display_name: id, created_at: "2025-01-01T00:00:00Z" });
