import { isRecord, type Json, type JsonObject } from "../core/index.ts";
import type { ChatRequest } from "./brain.ts";
import { piecesOf, toEventStream } from "./event-stream.ts";
import type { ModelAnswer, Reply } from "./exchange.ts";
import { prepareText, type ModelMind, type ModelTurn, type ModelUsage, type ReadyRequest } from "./model-request.ts";
import { openai } from "./openai-answers.ts";

/**
 * Chat completions. Tools are accepted and never called.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
export function prepareChat(turn: ModelTurn, mind: ModelMind): ReadyRequest | Reply {
  const request = turn.body;
  if (!isChatRequest(request)) return openai.invalidRequest("Missing required parameter: 'messages'.");
  const maxTokens = Number(request["max_completion_tokens"] ?? request["max_tokens"] ?? Infinity);
  const write = (answer: ModelAnswer, usage: ModelUsage | undefined) => toCompletion(turn, request, answer, usage);
  return prepareText(openai, { ...mind, request, maxTokens, write });
}

function isChatRequest(body: Json): body is Json & ChatRequest {
  return (
    isRecord(body) &&
    typeof body["model"] === "string" &&
    Array.isArray(body["messages"]) &&
    body["messages"].every(isRecord)
  );
}

/** A completion, as one document or as server-sent events, whichever was asked for. */
function toCompletion(turn: ModelTurn, request: ChatRequest, answer: ModelAnswer, used: ModelUsage | undefined): Reply {
  const created = Math.floor(turn.at.getTime() / 1000);
  const base = { id: `chatcmpl-sandbox${turn.id}`, created, model: request.model };
  const usage = used && {
    prompt_tokens: used.inputTokens,
    completion_tokens: used.outputTokens,
    total_tokens: used.inputTokens + used.outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
  if (request["stream"] === true) return toChunks(base, answer, wantsUsage(request) ? usage : undefined);
  const { content, finishReason, refusal = null } = answer;
  const message = { role: "assistant", content, refusal };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishReason }];
  return { status: 200, body: { ...base, object: "chat.completion", choices, ...(usage && { usage }) } };
}

function wantsUsage(request: ChatRequest): boolean {
  const options = request["stream_options"] ?? null;
  return isRecord(options) && options["include_usage"] === true;
}

function toChunks(base: JsonObject, answer: ModelAnswer, usage: JsonObject | undefined): Reply {
  const chunk = (delta: JsonObject, finish_reason: string | null = null): JsonObject => ({
    ...base,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  });
  return toEventStream([
    chunk({ role: "assistant", content: "" }),
    ...piecesOf(answer).map((content) => chunk({ content })),
    ...(answer.refusal === undefined ? [] : [chunk({ refusal: answer.refusal })]),
    chunk({}, answer.finishReason),
    ...(usage === undefined ? [] : [{ ...base, object: "chat.completion.chunk", choices: [], usage }]),
    "[DONE]",
  ]);
}
