import type { EmbeddingModelV4, LanguageModelV4, RerankingModelV4 } from "@ai-sdk/provider";
import { secret, SluiceError } from "../core/index.ts";
import type { ModelAccess } from "./model-access.ts";
import type { HostedModelSpec, HostedProvider } from "./model-spec.ts";
import { keyOf, kindOf, providerFacts } from "./provider-facts.ts";
import { loadPeer } from "./provider-peers.ts";
import { createRerankClient } from "./provider-rerank.ts";

/**
 * The interfaces between the AI SDK and the packages of its providers. They are called as they are, without the SDK's own
 * functions above them: those add a quarter of a millisecond and 30 MB, and nothing that the gateway needs.
 */
export type OpenLanguageModel = LanguageModelV4;
export type OpenEmbeddingModel = EmbeddingModelV4;
export type OpenRerankModel = Pick<RerankingModelV4, "doRerank">;

/** Opens a model for text. @throws PEER_MISSING; SECRET_MISSING when its key is not there. */
export async function openLanguageModel(spec: HostedModelSpec, access: ModelAccess): Promise<OpenLanguageModel> {
  return (await openProvider(spec, access)).text(spec.model);
}

/** Opens a model for vectors. @throws PEER_MISSING; SECRET_MISSING; CONFIG_INVALID when the provider has none. */
export async function openEmbeddingModel(spec: HostedModelSpec, access: ModelAccess): Promise<OpenEmbeddingModel> {
  const { embedding = refuseKind(spec) } = await openProvider(spec, access);
  return embedding(spec.model);
}

/** Opens a model that orders documents. @throws PEER_MISSING; SECRET_MISSING; CONFIG_INVALID when the provider has none. */
export async function openRerankModel(spec: HostedModelSpec, access: ModelAccess): Promise<OpenRerankModel> {
  const { rerank = refuseKind(spec) } = await openProvider(spec, access);
  return rerank(spec.model);
}

/** The models of a provider, by their id. */
interface OpenProvider {
  readonly text: (model: string) => OpenLanguageModel;
  readonly embedding?: (model: string) => OpenEmbeddingModel;
  readonly rerank?: (model: string) => OpenRerankModel;
}

/** A provider that is open, and what it was opened with. */
interface Kept {
  readonly key: string;
  readonly fetch: ModelAccess["fetch"];
  readonly provider: OpenProvider;
}

/** Kept, because opening one takes longer than asking it: half a millisecond, and up to two for packages that make their schemas anew. */
const kept = new WeakMap<HostedModelSpec, Kept>();

async function openProvider(spec: HostedModelSpec, access: ModelAccess): Promise<OpenProvider> {
  const reference = keyOf(spec);
  const key = reference === null ? "" : await access.resolveSecret(reference);
  const known = kept.get(spec);
  if (known?.key === key && known.fetch === access.fetch) return known.provider;
  const provider = await open[spec.provider](spec, access);
  kept.set(spec, { key, fetch: access.fetch, provider });
  return provider;
}

type Open = (spec: HostedModelSpec, access: ModelAccess) => Promise<OpenProvider>;

/**
 * Base URL and key are always passed, because the packages would otherwise read the process's environment, and so could send
 * data where the configuration does not say.
 */
const open: { readonly [Provider in HostedProvider]: Open } = {
  async openai(spec, access) {
    const { createOpenAI } = await loadPeer("openai", () => import("@ai-sdk/openai"));
    const openai = createOpenAI(await settingsOf(spec, access, "https://api.openai.com/v1"));
    // By default chat completions: every server of OpenAI's shape speaks them, and OpenAI keeps none of them.
    return {
      text: (model) => (spec.api === "responses" ? openai.responses(model) : openai.chat(model)),
      embedding: (model) => openai.embedding(model),
    };
  },
  async anthropic(spec, access) {
    const { createAnthropic } = await loadPeer("anthropic", () => import("@ai-sdk/anthropic"));
    return { text: createAnthropic(await settingsOf(spec, access, "https://api.anthropic.com/v1")) };
  },
  async google(spec, access) {
    const { createGoogle } = await loadPeer("google", () => import("@ai-sdk/google"));
    const google = createGoogle(await settingsOf(spec, access, "https://generativelanguage.googleapis.com/v1beta"));
    return { text: google, embedding: (model) => google.embedding(model) };
  },
  async azure(spec, access) {
    const { createAzure } = await loadPeer("azure", () => import("@ai-sdk/azure"));
    const azure = createAzure(await settingsOf(spec, access, ""));
    return {
      text: (model) => (spec.api === "responses" ? azure.responses(model) : azure.chat(model)),
      embedding: (model) => azure.embedding(model),
    };
  },
  async bedrock(spec, access) {
    const { createAmazonBedrock } = await loadPeer("bedrock", () => import("@ai-sdk/amazon-bedrock"));
    const bedrock = createAmazonBedrock(await bedrockSettings(spec, access));
    return {
      text: bedrock,
      embedding: (model) => bedrock.embedding(model),
      rerank: (model) => bedrock.reranking(model),
    };
  },
  async mistral(spec, access) {
    const { createMistral } = await loadPeer("mistral", () => import("@ai-sdk/mistral"));
    const mistral = createMistral(await settingsOf(spec, access, "https://api.mistral.ai/v1"));
    return { text: mistral, embedding: (model) => mistral.embedding(model) };
  },
  async cohere(spec, access) {
    const { createCohere } = await loadPeer("cohere", () => import("@ai-sdk/cohere"));
    const cohere = createCohere(await settingsOf(spec, access, "https://api.cohere.com/v2"));
    return {
      text: cohere,
      embedding: (model) => cohere.embedding(model),
      rerank: (model) => cohere.reranking(model),
    };
  },
  async "openai-compatible"(spec, access) {
    return openCompatible(spec, await settingsOf(spec, access, ""));
  },
};

async function openCompatible(spec: HostedModelSpec, settings: Settings): Promise<OpenProvider> {
  const { createOpenAICompatible } = await loadPeer("openai-compatible", () => import("@ai-sdk/openai-compatible"));
  const { apiKey, ...server } = settings;
  const provider = createOpenAICompatible({
    ...server,
    ...(apiKey !== "" && { apiKey }),
    name: "compatible",
    supportsStructuredOutputs: spec.structuredOutput ?? true,
    // Without it a stream does not tell what it used.
    includeUsage: true,
  });
  const text = kindOf(spec) === "text" ? provider(spec.model) : null;
  return {
    text: (model) => text ?? provider(model),
    embedding: (model) => provider.embeddingModel(model),
    rerank: (model) => createRerankClient(model, settings),
  };
}

/** What the packages and {@link createRerankClient} take. */
interface Settings {
  readonly apiKey: string;
  readonly baseURL: string;
  readonly fetch: ModelAccess["fetch"];
}

async function settingsOf(spec: HostedModelSpec, access: ModelAccess, defaultUrl: string): Promise<Settings> {
  const key = keyOf(spec);
  const apiKey = key === null ? "" : await access.resolveSecret(key);
  return { apiKey, baseURL: spec.baseUrl ?? defaultUrl, fetch: access.fetch };
}

/** A key of its own goes before the pair of access key and secret, with which each request is signed. */
async function bedrockSettings(spec: HostedModelSpec, { fetch, resolveSecret }: ModelAccess) {
  const region = spec.region ?? "";
  const service = kindOf(spec) === "rerank" ? "bedrock-agent-runtime" : "bedrock-runtime";
  const baseURL = spec.baseUrl ?? `https://${service}.${region}.amazonaws.com`;
  if (spec.apiKey !== undefined) return { region, baseURL, fetch, apiKey: await resolveSecret(spec.apiKey) };
  const accessKeyId = await resolveSecret(spec.accessKeyId ?? secret("AWS_ACCESS_KEY_ID"));
  const secretAccessKey = await resolveSecret(spec.secretAccessKey ?? secret("AWS_SECRET_ACCESS_KEY"));
  // An empty key, so that none is looked for in the environment.
  return { region, baseURL, fetch, apiKey: "", accessKeyId, secretAccessKey };
}

function refuseKind({ provider, model, kind = "text" }: HostedModelSpec): never {
  const able = Object.entries(providerFacts).flatMap(([name, { kinds }]) => (kinds.includes(kind) ? [name] : []));
  throw new SluiceError("CONFIG_INVALID", {
    message: `model ${model} is asked for kind ${kind}, which provider ${provider} does not have`,
    hint: `Providers with models of kind ${kind}: ${able.join(", ")}.`,
  });
}
