import { isRecord, toJson, type Json, type JsonObject } from "../core/index.ts";
import { anthropic } from "./anthropic-answers.ts";
import type { ChatRequest } from "./brain.ts";
import { withDescribedBounds } from "./described-schema.ts";
import { piecesOf, toEventStream } from "./event-stream.ts";
import type { ModelAnswer, Reply } from "./exchange.ts";
import { prepareText, type ModelMind, type ModelTurn, type ModelUsage, type ReadyRequest } from "./model-request.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Messages. JSON is answered where `output_config.format` asks for it, and as the call of a tool where `tool_choice`
 * forces one; tools that are free to choose are accepted and never called.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
export function prepareMessage(turn: ModelTurn, mind: ModelMind): ReadyRequest | Reply {
  const { body } = turn;
  if (!isRecord(body) || typeof body["model"] !== "string") return anthropic.invalidRequest("model: Field required");
  if (typeof body["max_tokens"] !== "number") return anthropic.invalidRequest("max_tokens: Field required");
  const { model, messages } = body;
  if (!Array.isArray(messages) || !messages.every(isRecord)) {
    return anthropic.invalidRequest("messages: Field required");
  }
  const tool = forcedTool(body);
  const schema = withDescribedBounds(tool?.["input_schema"] ?? askedSchema(body));
  const request: ChatRequest = {
    model,
    messages: toMessages(body["system"], messages),
    ...(schema !== undefined && { response_format: toJson({ type: "json_schema", json_schema: { schema } }) }),
  };
  const write = (answer: ModelAnswer, usage: ModelUsage | undefined): Reply => {
    const message = toMessage(turn, request.model, { answer, usage, toolName: textOf(tool?.["name"]) });
    return body["stream"] === true ? toEvents(message, answer) : { status: 200, body: message };
  };
  return prepareText(anthropic, { ...mind, request, maxTokens: body["max_tokens"], write });
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** The tool that must be called: the named one; of any, the one called `json` or the last. */
function forcedTool(body: Fields): Fields | undefined {
  const tools = Array.isArray(body["tools"]) ? body["tools"].filter(isRecord) : [];
  const choice = isRecord(body["tool_choice"]) ? body["tool_choice"] : {};
  if (choice["type"] === "tool") return tools.find((tool) => tool["name"] === choice["name"]);
  return choice["type"] === "any" ? (tools.find((tool) => tool["name"] === "json") ?? tools.at(-1)) : undefined;
}

function askedSchema(body: Fields): unknown {
  const config = isRecord(body["output_config"]) ? body["output_config"] : {};
  const format = config["format"] ?? body["output_format"];
  return isRecord(format) && format["type"] === "json_schema" ? format["schema"] : undefined;
}

function toMessages(system: unknown, messages: readonly Fields[]): ChatRequest["messages"] {
  const all = system === undefined ? messages : [{ role: "system", content: system }, ...messages];
  return all.map((message) => ({ role: String(message["role"]), content: toContent(message["content"]) }));
}

/** What tools gave is nested one level deeper than text. */
function toContent(content: unknown): Json {
  if (!Array.isArray(content)) return toJson(content);
  return content.flatMap((part: unknown): readonly Json[] => {
    const inner = isRecord(part) && part["type"] === "tool_result" ? part["content"] : undefined;
    if (typeof inner === "string") return [{ type: "text", text: inner }];
    return Array.isArray(inner) ? inner.map(toJson) : [toJson(part)];
  });
}

interface MessageParts {
  readonly answer: ModelAnswer;
  readonly usage: ModelUsage | undefined;
  readonly toolName: string | undefined;
}

function toMessage(turn: ModelTurn, model: string, { answer, usage, toolName }: MessageParts): JsonObject {
  const input = toolName === undefined ? undefined : parsedObject(answer.content);
  const tool = input && { type: "tool_use", id: `toolu_sandbox${turn.id}`, name: toolName ?? "", input };
  const text = answer.content ?? answer.refusal;
  return {
    id: `msg_sandbox${turn.id}`,
    type: "message",
    role: "assistant",
    model,
    content: tool ? [tool] : text === undefined || text === "" ? [] : [{ type: "text", text }],
    stop_reason: stopReason(answer, tool !== undefined),
    stop_sequence: null,
    ...(usage && {
      usage: {
        input_tokens: usage.inputTokens,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: usage.outputTokens,
      },
    }),
  };
}

function stopReason(answer: ModelAnswer, isToolCall: boolean): string {
  if (answer.refusal !== undefined || answer.finishReason === "content_filter") return "refusal";
  if (answer.finishReason === "length") return "max_tokens";
  return isToolCall ? "tool_use" : "end_turn";
}

/** A call of a tool has an object; anything else that the brain or a fault says is text. */
function parsedObject(content: string | null): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(content ?? "");
    return isRecord(parsed) ? (toJson(parsed) as JsonObject) : undefined;
  } catch {
    // Nearly JSON, or none: then it is a text.
    return undefined;
  }
}

/** @see https://platform.claude.com/docs/en/build-with-claude/streaming */
function toEvents(message: JsonObject, answer: ModelAnswer): Reply {
  const { content, stop_reason, usage, ...rest } = message;
  const used = usage as JsonObject | undefined;
  const [block] = content as readonly JsonObject[];
  const begun = { ...rest, content: [], stop_reason: null, ...(used && { usage: { ...used, output_tokens: 1 } }) };
  return toEventStream([
    { type: "message_start", message: begun },
    { type: "ping" },
    ...(block === undefined ? [] : toBlockEvents(block, answer)),
    {
      type: "message_delta",
      delta: { stop_reason: stop_reason ?? null, stop_sequence: null },
      ...(used && { usage: { output_tokens: used["output_tokens"] ?? 0 } }),
    },
    { type: "message_stop" },
  ]);
}

function toBlockEvents(block: JsonObject, answer: ModelAnswer): readonly JsonObject[] {
  const isText = block["type"] === "text";
  const empty: JsonObject = isText ? { type: "text", text: "" } : { ...block, input: {} };
  const pieces = piecesOf(answer.content === null ? { ...answer, content: answer.refusal ?? "" } : answer);
  const toDelta = (piece: string): JsonObject =>
    isText ? { type: "text_delta", text: piece } : { type: "input_json_delta", partial_json: piece };
  return [
    { type: "content_block_start", index: 0, content_block: empty },
    ...pieces.map((piece) => ({ type: "content_block_delta", index: 0, delta: toDelta(piece) })),
    { type: "content_block_stop", index: 0 },
  ];
}
