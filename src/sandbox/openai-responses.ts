import { isRecord, toJson, type Json, type JsonObject } from "../core/index.ts";
import type { ChatRequest } from "./brain.ts";
import { piecesOf, toEventStream } from "./event-stream.ts";
import type { ModelAnswer, Reply } from "./exchange.ts";
import { prepareText, type ModelMind, type ModelTurn, type ModelUsage, type ReadyRequest } from "./model-request.ts";
import { openai } from "./openai-answers.ts";

/**
 * Responses. Nothing is stored: `previous_response_id` is accepted and not followed; tools are accepted and never called.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 */
export function prepareResponse(turn: ModelTurn, mind: ModelMind): ReadyRequest | Reply {
  const { body } = turn;
  const request = isRecord(body) ? toChatRequest(body) : undefined;
  if (!isRecord(body) || request === undefined) return openai.invalidRequest("Missing required parameter: 'input'.");
  const maxTokens = Number(body["max_output_tokens"] ?? Infinity);
  const isStream = body["stream"] === true;
  const write = (answer: ModelAnswer, usage: ModelUsage | undefined): Reply => {
    const response = toResponse(turn, request.model, answer, usage);
    return isStream ? toEvents(response, { id: turn.id, answer }) : { status: 200, body: response };
  };
  return prepareText(openai, { ...mind, request, maxTokens, write });
}

type Fields = Readonly<Record<string, unknown>>;

function toChatRequest(body: Fields): ChatRequest | undefined {
  const { model, input, instructions } = body;
  const items: readonly unknown[] | undefined =
    typeof input === "string" ? [{ role: "user", content: input }] : Array.isArray(input) ? input : undefined;
  if (typeof model !== "string" || items === undefined) return undefined;
  const system = typeof instructions === "string" ? [{ role: "system", content: instructions }] : [];
  const format = toResponseFormat(body);
  return {
    model,
    messages: [...system, ...items.filter(isRecord).map(toMessage)],
    ...(format !== undefined && { response_format: format }),
  };
}

/** Results of tools are items without a role; what they say is in `output`. */
function toMessage(item: Fields): ChatRequest["messages"][number] {
  const role = typeof item["role"] === "string" ? item["role"] : "tool";
  return { role, content: toJson(item["content"] ?? item["output"]) };
}

/** `text.format` has the fields of a schema beside its type, where chat completions nest them. */
function toResponseFormat(body: Fields): Json | undefined {
  const format = isRecord(body["text"]) ? body["text"]["format"] : undefined;
  if (!isRecord(format)) return undefined;
  const { type, ...rest } = format;
  return toJson(type === "json_schema" ? { type, json_schema: rest } : { type });
}

function toResponse(turn: ModelTurn, model: string, answer: ModelAnswer, used: ModelUsage | undefined): JsonObject {
  const reason = { stop: null, length: "max_output_tokens", content_filter: "content_filter" }[answer.finishReason];
  const status = reason === null ? "completed" : "incomplete";
  return {
    id: `resp_sandbox${turn.id}`,
    object: "response",
    created_at: Math.floor(turn.at.getTime() / 1000),
    status,
    error: null,
    incomplete_details: reason === null ? null : { reason },
    model,
    output: [{ type: "message", id: `msg_sandbox${turn.id}`, status, role: "assistant", content: toContent(answer) }],
    ...(used && {
      usage: {
        input_tokens: used.inputTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: used.outputTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: used.inputTokens + used.outputTokens,
      },
    }),
  };
}

function toContent({ content, refusal }: ModelAnswer): readonly JsonObject[] {
  if (refusal !== undefined) return [{ type: "refusal", refusal }];
  return content === null ? [] : [{ type: "output_text", text: content, annotations: [], logprobs: [] }];
}

function toEvents(response: JsonObject, { id, answer }: { readonly id: string; readonly answer: ModelAnswer }): Reply {
  const place = { output_index: 0, content_index: 0, item_id: `msg_sandbox${id}` };
  const [item] = response["output"] as readonly JsonObject[];
  const { status, usage: _, output: __, ...rest } = response;
  const begun = { ...rest, status: "in_progress", output: [], incomplete_details: null };
  const text = { type: "output_text", text: "", annotations: [] };
  const events: readonly JsonObject[] = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
    { type: "response.output_item.added", output_index: 0, item: { ...item, status: "in_progress", content: [] } },
    { type: "response.content_part.added", ...place, part: text },
    ...piecesOf(answer).map((delta) => ({ type: "response.output_text.delta", ...place, delta })),
    ...toRefusalEvents(answer, place),
    { type: "response.output_text.done", ...place, text: answer.content ?? "" },
    { type: "response.content_part.done", ...place, part: { ...text, text: answer.content ?? "" } },
    { type: "response.output_item.done", output_index: 0, item: item ?? null },
    { type: status === "completed" ? "response.completed" : "response.incomplete", response },
  ];
  return toEventStream(events.map((event, index) => ({ ...event, sequence_number: index })));
}

function toRefusalEvents({ refusal }: ModelAnswer, place: JsonObject): readonly JsonObject[] {
  if (refusal === undefined) return [];
  return [
    { type: "response.refusal.delta", ...place, delta: refusal },
    { type: "response.refusal.done", ...place, refusal },
  ];
}
