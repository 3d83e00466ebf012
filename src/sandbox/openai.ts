import type { AnswerOne } from "./batches.ts";
import { bearerToken, type IncomingCall, type Reply } from "./exchange.ts";
import { answerAtOnce, answerWithinLimits, type PrepareRequest } from "./model-request.ts";
import type { ModelSettings } from "./model-settings.ts";
import { openai } from "./openai-answers.ts";
import { answerOpenaiBatches } from "./openai-batches.ts";
import { prepareChat } from "./openai-chat.ts";
import { prepareEmbeddings } from "./openai-embeddings.ts";
import { prepareResponse } from "./openai-responses.ts";

const listedModels = ["sandbox-fast", "sandbox-smart", "gpt-5", "gpt-5-mini", "text-embedding-3-small"];

const prepares = new Map<string, PrepareRequest>([
  ["/chat/completions", prepareChat],
  ["/responses", prepareResponse],
  ["/embeddings", prepareEmbeddings],
]);

/**
 * An OpenAI-compatible server: chat completions and responses, whole or streamed, embeddings, files and batches, and the
 * list of models.
 *
 * @see https://platform.openai.com/docs/api-reference
 */
export function answerOpenai(call: IncomingCall, settings: ModelSettings): Reply | Promise<Reply> {
  if (bearerToken(call) !== settings.key) return openai.invalidKey();
  if (call.bodyState === "broken") return openai.invalidRequest("We could not parse the JSON body of your request.");
  const prepare = call.method === "POST" ? prepares.get(call.resource) : undefined;
  if (prepare) {
    const ready = prepare({ id: String(call.number), at: call.at, body: call.body }, settings);
    return answerWithinLimits(openai, ready, { call, windows: settings.windows });
  }
  const answerOne: AnswerOne = ({ url, body }, id) =>
    answerAtOnce(
      prepares.get(url.replace(/^\/v1/, ""))?.({ id, at: call.at, body }, { brain: settings.brain }) ??
        unknownUrl(call),
    );
  return answerModels(call) ?? answerOpenaiBatches(call, { ...settings.batches, answerOne }) ?? unknownUrl(call);
}

const unknownUrl = ({ method, resource }: IncomingCall) =>
  openai.invalidRequest(`Invalid URL (${method} /v1${resource})`, 404);

function answerModels({ method, resource }: IncomingCall): Reply | undefined {
  if (method === "GET" && resource === "/models") {
    return { status: 200, body: { object: "list", data: listedModels.map(toModel) } };
  }
  const model = /^\/models\/([^/]+)$/.exec(resource)?.[1];
  if (method !== "GET" || model === undefined) return undefined;
  return openai.knownModel.test(model) ? { status: 200, body: toModel(model) } : openai.modelNotFound(model);
}

const toModel = (id: string) => ({ id, object: "model", created: 1_735_689_600, owned_by: "sandbox" });
