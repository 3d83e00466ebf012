import type { SecretReference } from "../core/index.ts";

/** A model behind HTTP. */
export interface HostedModelSpec {
  readonly provider: "openai" | "anthropic" | "openai-compatible";
  /** The provider's id of the model. */
  readonly model: string;
  /** Address up to and including `/v1`. Default: the provider's own; `openai-compatible` needs one. */
  readonly baseUrl?: string;
  /** Default: `OPENAI_API_KEY` or `ANTHROPIC_API_KEY`; none for `openai-compatible`. */
  readonly apiKey?: SecretReference;
  /** Deadline of one request. Answers are not streamed, so nothing may arrive for as long. Default: 60,000. */
  readonly timeoutMs?: number;
  /** How much the model thinks before it answers, where it can. Default: as the provider sets it. */
  readonly reasoning?: "none" | "minimal" | "low" | "medium" | "high";
  /** Whether the server takes a JSON Schema with the request. Default: true. The schema is in the prompt in any case. */
  readonly structuredOutput?: boolean;
  /** Own price, where the price list lacks the model or is wrong. */
  readonly price?: ModelPrice;
}

/** US dollars for a million tokens. */
export interface ModelPrice {
  readonly inputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
}

/** The model that is built in: no network, no cost, and every answer says SIMULATED. */
export interface SimulatedModelSpec {
  readonly provider: "simulated";
  /** How long an answer takes on average. Default: 0. */
  readonly latencyMs?: number;
}

export type ModelSpec = HostedModelSpec | SimulatedModelSpec;

/** The one place where models are configured: what each name stands for. */
export type ModelsConfig = { readonly [name: string]: ModelSpec };

/** A name with what it stands for, and why. */
export interface ResolvedModel {
  readonly name: string;
  readonly spec: ModelSpec;
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
