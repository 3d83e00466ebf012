import { isRecord, type Json } from "../core/index.ts";
import { contentText, type Brain, type ChatRequest } from "./brain.ts";
import { commonFaults } from "./common-faults.ts";
import { bearerToken, type AnswerEdit, type FaultPlay, type IncomingCall, type Reply } from "./exchange.ts";
import {
  contextExceeded,
  invalidKey,
  invalidRequest,
  limitHeaders,
  modelNotFound,
  overloaded,
  quotaExhausted,
  rateLimited,
  serverError,
  toCompletion,
  unavailable,
} from "./openai-answers.ts";

const listedModels = ["sandbox-fast", "sandbox-smart", "gpt-5", "gpt-5-mini"];
/** Any other model of these families exists too, so that a flow's own setting works in the sandbox. */
const knownModel = /^(sandbox|gpt)-[\w.:-]+$/;
const contextTokens = 128_000;
/** Rule of thumb for English; the sandbox has no tokenizer. */
const charactersPerToken = 4;

/** What OpenAI's stand-in needs besides the call. */
interface OpenaiSettings {
  readonly key: string;
  readonly brain: Brain;
  /** Changes what the brain answered; how faults spoil an answer. */
  readonly edit?: AnswerEdit | undefined;
}

/**
 * An OpenAI-compatible server: chat completions, whole or streamed, and the list of models.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
export function answerOpenai(call: IncomingCall, settings: OpenaiSettings): Reply | Promise<Reply> {
  if (bearerToken(call) !== settings.key) return invalidKey();
  if (call.method === "GET" && call.resource === "/models") {
    return { status: 200, body: { object: "list", data: listedModels.map(toModel) } };
  }
  const model = /^\/models\/([^/]+)$/.exec(call.resource)?.[1];
  if (call.method === "GET" && model !== undefined) {
    return knownModel.test(model) ? { status: 200, body: toModel(model) } : modelNotFound(model);
  }
  if (call.method === "POST" && call.resource === "/chat/completions") return complete(call, settings);
  return invalidRequest(`Invalid URL (${call.method} /v1${call.resource})`, 404);
}

async function complete(call: IncomingCall, { brain, edit }: OpenaiSettings): Promise<Reply> {
  if (call.bodyState === "broken") return invalidRequest("We could not parse the JSON body of your request.");
  const request = call.body;
  if (!isChatRequest(request)) return invalidRequest("Missing required parameter: 'messages'.");
  if (!knownModel.test(request.model)) return modelNotFound(request.model);
  const promptTokens = tokensIn(request.messages.map((message) => contentText(message.content)).join("\n"));
  if (promptTokens > contextTokens) return contextExceeded(contextTokens, promptTokens);
  const thought = await think(brain, request);
  if (thought === undefined) return serverError();
  const limit = Number(request["max_completion_tokens"] ?? request["max_tokens"] ?? Infinity);
  const content = thought.slice(0, limit * charactersPerToken);
  const answer = edit?.(content) ?? { content, finishReason: content === thought ? "stop" : "length" };
  const usage = { promptTokens, completionTokens: tokensIn(content) };
  const completion = toCompletion(call, request, answer, usage);
  return { ...completion, headers: { ...limitHeaders(), ...completion.headers } };
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

function isChatRequest(body: Json): body is Json & ChatRequest {
  return (
    isRecord(body) &&
    typeof body["model"] === "string" &&
    Array.isArray(body["messages"]) &&
    body["messages"].every(isRecord)
  );
}

const tokensIn = (text: string) => Math.ceil(text.length / charactersPerToken);
const toModel = (id: string) => ({ id, object: "model", created: 1_735_689_600, owned_by: "sandbox" });

const edits =
  (edit: AnswerEdit): FaultPlay =>
  ({ handle }) =>
    handle(edit);

/** The faults of OpenAI's stand-in. Those that spoil an answer leave its status, headers and usage as they were. */
export const openaiFaults = {
  ...commonFaults,
  /** Status 429; the wait of `retryAfterMs` is told as `header` says. */
  rate_limit_exceeded: ({ call, params }) => rateLimited(params, call.at),
  insufficient_quota: quotaExhausted,
  invalid_api_key: invalidKey,
  model_not_found: () => modelNotFound("retired-model"),
  context_length_exceeded: () => contextExceeded(contextTokens, contextTokens + 1),
  server_error: serverError,
  service_unavailable: unavailable,
  /** Status 529. */
  overloaded,
  empty_content: edits(() => ({ content: "", finishReason: "stop" })),
  /** Half of the answer, with finish reason `length`. */
  length: edits((content) => ({ content: content.slice(0, Math.ceil(content.length / 2)), finishReason: "length" })),
  content_filter: edits(() => ({ content: "", finishReason: "content_filter" })),
  refusal: edits(() => ({ content: null, finishReason: "stop", refusal: "SIMULATED: I cannot help with that." })),
  /** Nearly JSON: in a code fence, with a comma too many. Can be repaired. */
  malformed_json: edits((content) => ({
    content: `\`\`\`json\n${content.slice(0, -1)},}\n\`\`\``,
    finishReason: "stop",
  })),
  /** A sentence in place of JSON. */
  not_json: edits(() => ({ content: "SIMULATED: here is what I think about it.", finishReason: "stop" })),
  /** JSON that fits no schema. */
  schema_mismatch: edits(() => ({ content: '{"simulated":"SIMULATED"}', finishReason: "stop" })),
} as const satisfies Record<string, FaultPlay>;
