import { secret, SluiceError } from "../core/index.ts";
import { findLocalModel, type LocalServer } from "./local-models.ts";
import type { ModelFetch } from "./model-access.ts";
import {
  type HostedProvider,
  isSimulated,
  modelIdOf,
  type ModelDescription,
  type ModelsConfig,
  type ModelSpec,
  type ResolvedModel,
  type ResolvedModels,
} from "./model-spec.ts";
import { kindOf } from "./provider-facts.ts";

/** What {@link resolveModels} takes. */
export interface ResolveModelsOptions {
  readonly config: ModelsConfig;
  /** Where provider keys are looked for; only whether they are set is read. */
  readonly environment: { readonly [name: string]: string | undefined };
  /** Whether to look for a model server on this machine, when nothing else is there. Default: false. */
  readonly detectLocal?: boolean;
  /** Used only to look for local servers; must be allowed to reach them. */
  readonly fetch: ModelFetch;
  /** Where to look. Default: the usual ports of Ollama, LM Studio, llama.cpp and vLLM. */
  readonly localServers?: readonly LocalServer[];
}

type Choice = Pick<ResolvedModel, "reason"> & { readonly fast: ModelSpec; readonly smart: ModelSpec };

/**
 * Decides what each model name stands for.
 *
 * A configuration decides alone: when it lacks `fast` or `smart`, that name means the other, or the first model for text that it
 * names, so that no data goes to a provider that nobody named. Without a configuration: OpenAI when its key is set, else
 * Anthropic, else a server found on this machine, else the simulated model.
 *
 * @throws CONFIG_INVALID when a list is empty, or a model lacks the address or region that its provider needs.
 */
export async function resolveModels(options: ResolveModelsOptions): Promise<ResolvedModels> {
  if (Object.keys(options.config).length > 0) return fromConfig(options.config);
  const { fast, smart, reason } = fromEnvironment(options.environment) ?? (await fromThisMachine(options)) ?? simulated;
  return toMap([
    { name: "fast", spec: fast, fallbacks: [], reason },
    { name: "smart", spec: smart, fallbacks: [], reason },
  ]);
}

/** The models as status pages show them. */
export function describeModels(models: ResolvedModels): ModelDescription[] {
  return [...models.values()].map(({ name, spec, reason }) => ({
    name,
    provider: spec.provider,
    model: modelIdOf(spec),
    simulated: isSimulated(spec),
    reason,
  }));
}

function fromConfig(config: ModelsConfig): ResolvedModels {
  const named = Object.entries(config).map(([name, entry]) => toModel(name, entry));
  const forText = named.filter(({ spec }) => isSimulated(spec) || kindOf(spec) === "text");
  const standIn = (name: string, other: string): ResolvedModel[] => {
    if (config[name] !== undefined) return [];
    const source = forText.find((model) => model.name === other) ?? forText[0];
    if (source) return [{ ...source, name, reason: `not configured; stands for ${source.name}` }];
    return [{ name, spec: { provider: "simulated" }, fallbacks: [], reason: "no model for text is configured" }];
  };
  return toMap([...named, ...standIn("fast", "smart"), ...standIn("smart", "fast")]);
}

function toModel(name: string, entry: ModelSpec | readonly ModelSpec[]): ResolvedModel {
  const [spec, ...fallbacks] = specsOf(entry);
  if (spec === undefined) {
    throw new SluiceError("CONFIG_INVALID", {
      message: `model ${JSON.stringify(name)} is an empty list`,
      hint: "Name at least one model in it, or leave the name out.",
    });
  }
  for (const each of [spec, ...fallbacks]) refuseIncomplete(name, each);
  return { name, spec, fallbacks, reason: "configured" };
}

/** The models of an entry of the configuration, in the order in which they are asked. */
export function specsOf(entry: ModelSpec | readonly ModelSpec[]): readonly ModelSpec[] {
  return "provider" in entry ? [entry] : entry;
}

function refuseIncomplete(name: string, spec: ModelSpec): void {
  if (isSimulated(spec)) return;
  const { baseUrl, provider, region } = spec;
  if (provider === "bedrock" && !/^[a-z0-9-]+$/.test(region ?? "")) {
    throw new SluiceError("CONFIG_INVALID", {
      message: `model ${JSON.stringify(name)} of provider bedrock has no region`,
      hint: "Write the AWS region that it runs in, such as eu-central-1.",
    });
  }
  if (baseUrl === undefined && provider !== "openai-compatible" && provider !== "azure") return;
  if (baseUrl !== undefined && /^https?:$/.test(URL.parse(baseUrl)?.protocol ?? "")) return;
  throw new SluiceError("CONFIG_INVALID", {
    message: `model ${JSON.stringify(name)} of provider ${provider} has no usable baseUrl`,
    hint: `Write the server's address up to and including /v1, such as ${exampleUrl(provider)}.`,
  });
}

function exampleUrl(provider: HostedProvider): string {
  return provider === "azure" ? "https://my-resource.openai.azure.com/openai/v1" : "http://127.0.0.1:11434/v1";
}

const simulated: Choice = {
  fast: { provider: "simulated" },
  smart: { provider: "simulated" },
  reason: "no model is configured and no provider key is set",
};

/** The newest models that both the provider's package and the price list know, as of their pinned versions. */
function fromEnvironment(environment: ResolveModelsOptions["environment"]): Choice | undefined {
  const isSet = (name: string) => (environment[name] ?? "").trim() !== "";
  if (isSet("OPENAI_API_KEY")) {
    const openai = { provider: "openai", apiKey: secret("OPENAI_API_KEY"), ...baseUrlOf(environment) } as const;
    return {
      fast: { ...openai, model: "gpt-6-luna", reasoning: "none" },
      smart: { ...openai, model: "gpt-6-sol", reasoning: "low" },
      reason: "OPENAI_API_KEY is set",
    };
  }
  if (isSet("ANTHROPIC_API_KEY")) {
    const anthropic = { provider: "anthropic", apiKey: secret("ANTHROPIC_API_KEY") } as const;
    return {
      fast: { ...anthropic, model: "claude-haiku-4-5" },
      smart: { ...anthropic, model: "claude-sonnet-5" },
      reason: "ANTHROPIC_API_KEY is set",
    };
  }
  return undefined;
}

/** Who moved the key's owner elsewhere with `OPENAI_BASE_URL`, as OpenAI's own clients read it, means us too. */
function baseUrlOf(environment: ResolveModelsOptions["environment"]): { readonly baseUrl?: string } {
  const baseUrl = (environment["OPENAI_BASE_URL"] ?? "").trim();
  return baseUrl === "" ? {} : { baseUrl };
}

async function fromThisMachine(options: ResolveModelsOptions): Promise<Choice | undefined> {
  if (options.detectLocal !== true) return undefined;
  const found = await findLocalModel(options.fetch, options.localServers);
  if (found === undefined) return undefined;
  // What runs on this machine is not billed by the token.
  const price = { inputUsdPerMillion: 0, outputUsdPerMillion: 0 };
  const spec = { provider: "openai-compatible", model: found.model, baseUrl: found.baseUrl, price } as const;
  return { fast: spec, smart: spec, reason: `${found.server} answers at ${found.baseUrl}` };
}

function toMap(models: readonly ResolvedModel[]): ResolvedModels {
  return new Map(models.map((model) => [model.name, model]));
}
