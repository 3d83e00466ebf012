import type { SecretReference } from "../core/index.ts";

/** The providers that are asked over HTTP. All but `openai-compatible` stand for a package that is installed beside Sluice. */
export type HostedProvider =
  | "openai"
  | "anthropic"
  | "google"
  | "azure"
  | "bedrock"
  | "mistral"
  | "cohere"
  | "openai-compatible";

/** A model behind HTTP. */
export interface HostedModelSpec {
  readonly provider: HostedProvider;
  /** The provider's id of the model; Azure's name of the deployment. */
  readonly model: string;
  /** What it is asked for. Default: `text`. */
  readonly kind?: "text" | "embedding" | "rerank";
  /** Address up to and including `/v1`. Default: the provider's own; `openai-compatible` and `azure` need one. */
  readonly baseUrl?: string;
  /** Default: the provider's usual variable, such as `OPENAI_API_KEY`; none for `openai-compatible`. */
  readonly apiKey?: SecretReference;
  /** For `bedrock`: default `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. */
  readonly accessKeyId?: SecretReference;
  readonly secretAccessKey?: SecretReference;
  /** Where the model runs, such as `eu`; for `bedrock` the AWS region. Flows may name the regions that they allow. */
  readonly region?: string;
  /** Classes of data that may be sent to it, such as `health`. Default: only data without a class. */
  readonly dataClasses?: readonly string[];
  /** Which of OpenAI's interfaces is spoken. Default: `chat`. */
  readonly api?: "chat" | "responses";
  /** Files that it takes besides text. Default: what the provider's models usually take; none for `openai-compatible`. */
  readonly inputs?: readonly ("image" | "pdf")[];
  /** Deadline of one request. Default: 60,000. */
  readonly timeoutMs?: number;
  /** Whether answers are taken as a stream, so that silence is noticed long before the deadline. Default: false; calls with `onText` always stream. */
  readonly stream?: boolean;
  /** Longest wait for the first piece of a stream. Default: 60,000. */
  readonly firstTokenTimeoutMs?: number;
  /** Longest silence inside a stream. Default: 30,000. */
  readonly idleTimeoutMs?: number;
  /** How much the model thinks before it answers, where it can. Default: as the provider sets it. */
  readonly reasoning?: "none" | "minimal" | "low" | "medium" | "high";
  /** Whether the server takes a JSON Schema with the request. Default: true. The schema is in the prompt in any case. */
  readonly structuredOutput?: boolean;
  /** Longest input and output together. A call that cannot fit goes to a fallback with a longer one. Default: not known. */
  readonly contextTokens?: number;
  /** What the account allows; held over all processes. Default: none but what the provider's headers tell. */
  readonly limits?: ModelLimits;
  /** Most that all calls with the same key may cost. Default: none. */
  readonly budget?: { readonly perDayUsd?: number; readonly perMonthUsd?: number };
  /** Own price, where the price list lacks the model or is wrong. */
  readonly price?: ModelPrice;
  /** False: the batch lane does without the provider's batch API. Default: it is used where there is one, with `openai` (chat) and `anthropic`. */
  readonly batch?: boolean;
}

/** What an account allows of one model. All counts are over any window of a minute. */
export interface ModelLimits {
  readonly requestsPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
  /** Input and output together, as some providers count. */
  readonly tokensPerMinute?: number;
  /** Requests under way at once. */
  readonly concurrency?: number;
  /** Share that only the interactive lane may use, 0 to 0.9. Default: 0.2. */
  readonly interactiveShare?: number;
}

/** US dollars for a million tokens. */
export interface ModelPrice {
  readonly inputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
  /** Input that the provider had in its cache. Default: as other input. */
  readonly cachedInputUsdPerMillion?: number;
  /** What the batch API's price is of the usual one. Default: 0.5. */
  readonly batchFactor?: number;
}

/** The model that is built in: no network, no cost, and every answer says SIMULATED. */
export interface SimulatedModelSpec {
  readonly provider: "simulated";
  /** How long an answer takes on average. Default: 0. */
  readonly latencyMs?: number;
}

export type ModelSpec = HostedModelSpec | SimulatedModelSpec;

/**
 * The one place where models are configured: what each name stands for. Of a list, the first is asked, and each next one where
 * those before cannot answer.
 */
export type ModelsConfig = { readonly [name: string]: ModelSpec | readonly ModelSpec[] };

/** A name with what it stands for, and why. */
export interface ResolvedModel {
  readonly name: string;
  readonly spec: ModelSpec;
  /** Asked in this order when it cannot answer. */
  readonly fallbacks: readonly ModelSpec[];
  /** Why this model was chosen, for people: `OPENAI_API_KEY is set`. */
  readonly reason: string;
}

/** All models by name; `fast` and `smart` are always among them. */
export type ResolvedModels = ReadonlyMap<string, ResolvedModel>;

/** A model as status pages show it. */
export interface ModelDescription {
  readonly name: string;
  readonly provider: ModelSpec["provider"];
  readonly model: string;
  readonly simulated: boolean;
  readonly reason: string;
}

export function isSimulated(spec: ModelSpec): spec is SimulatedModelSpec {
  return spec.provider === "simulated";
}

/** The provider's id of a model. */
export function modelIdOf(spec: ModelSpec): string {
  return isSimulated(spec) ? "simulated-1" : spec.model;
}
