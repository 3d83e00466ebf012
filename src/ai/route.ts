import { type Priority, SluiceError } from "../core/index.ts";
import { isSimulated, type ModelSpec, modelIdOf, type ResolvedModel, type ResolvedModels } from "./model-spec.ts";
import { goesInBatch } from "./prices.ts";
import { keyOf, kindOf } from "./provider-facts.ts";

/** What a call asks of the model that may answer it. */
export interface RoutingNeeds {
  /** Name of a configured model. */
  readonly name: string;
  readonly kind: "text" | "embedding" | "rerank";
  /** Classes of the data; a model must be allowed all of them. */
  readonly dataClasses: readonly string[];
  /** Regions that the flow allows; undefined: all. */
  readonly regions: readonly string[] | undefined;
}

/**
 * Stage 3: a name becomes the models that may be asked, in order: those of its list that may be sent all classes of the data,
 * and stand in an allowed region. The simulated model may be sent anything, because nothing leaves.
 *
 * @throws MODEL_UNKNOWN; MODEL_NOT_ALLOWED when none may be asked. Nothing has left by then.
 */
export function route(models: ResolvedModels, needs: RoutingNeeds): readonly ResolvedModel[] {
  const model = models.get(needs.name);
  if (!model) throw unknown(models, needs.name);
  const candidates = [model.spec, ...model.fallbacks].map((spec) => ({ ...model, spec, fallbacks: [] }));
  const able = candidates.filter(({ spec }) => kindFor(spec, needs.kind) === needs.kind);
  if (able.length === 0) throw wrongKind(model, needs.kind);
  const allowed = able.filter(({ spec }) => refusalOf(spec, needs) === null);
  if (allowed.length === 0) throw notAllowed(able, needs);
  return allowed;
}

/** The simulated model answers whatever is wanted of it. */
function kindFor(spec: ModelSpec, wanted: RoutingNeeds["kind"]): RoutingNeeds["kind"] {
  return isSimulated(spec) ? wanted : kindOf(spec);
}

/** Why a model may not be asked; null when it may. */
function refusalOf(spec: ModelSpec, { dataClasses, regions }: RoutingNeeds): string | null {
  if (isSimulated(spec)) return null;
  const missing = dataClasses.filter((one) => !spec.dataClasses?.includes(one));
  if (missing.length > 0) return `may not be sent ${missing.join(", ")} data`;
  if (regions === undefined || (spec.region !== undefined && regions.includes(spec.region))) return null;
  return `stands in ${spec.region ?? "a region that is not named"}, allowed ${regions.length === 1 ? "is" : "are"} ${regions.join(", ")}`;
}

function notAllowed(candidates: readonly ResolvedModel[], needs: RoutingNeeds): SluiceError {
  const reasons = candidates.map(
    ({ spec }) => `${spec.provider} model ${modelIdOf(spec)} ${refusalOf(spec, needs) ?? "may be asked"}`,
  );
  return new SluiceError("MODEL_NOT_ALLOWED", {
    message: `no model named "${needs.name}" may be asked: ${reasons.join("; ")}`,
    hint: "Nothing was sent. Name a model that may be sent this data, or add to dataClasses or region of one in the configuration.",
    details: { name: needs.name, dataClasses: [...needs.dataClasses], regions: [...(needs.regions ?? [])] },
  });
}

function wrongKind({ name, spec }: ResolvedModel, kind: RoutingNeeds["kind"]): SluiceError {
  return new SluiceError("CONFIG_INVALID", {
    message: `model "${name}" is of kind ${kindFor(spec, "text")}, and ${kind} was asked of it`,
    hint: `Name a model of kind ${kind}, or configure one: { provider, model, kind: "${kind}" }.`,
  });
}

function unknown(models: ResolvedModels, name: string): SluiceError {
  return new SluiceError("MODEL_UNKNOWN", {
    message: `model ${JSON.stringify(name)} is not configured; configured are ${[...models.keys()].join(", ")}`,
    hint: "Add it to the models of the configuration, or use one of the configured names.",
  });
}

/** What a provider counts and charges by: the key, by its name, or the server where there is none. */
export function credentialOf(spec: ModelSpec): string {
  if (isSimulated(spec)) return "simulated";
  return keyOf(spec)?.secret ?? URL.parse(spec.baseUrl ?? "")?.origin ?? spec.provider;
}

/** What a provider's limits are held by: key and model. Its batch API has limits and troubles of its own. */
export function bucketOf(spec: ModelSpec, lane: Priority = "standard"): string {
  const bucket = `${credentialOf(spec)} ${spec.provider}/${modelIdOf(spec)}`;
  return goesInBatch(spec, lane) ? `${bucket} batch` : bucket;
}
