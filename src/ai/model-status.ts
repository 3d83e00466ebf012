import type { LimitGauge, ModelGauge } from "../store/index.ts";
import { type HostedModelSpec, isSimulated, modelIdOf, type ModelSpec, type ResolvedModels } from "./model-spec.ts";
import { priceOf } from "./prices.ts";
import { kindOf, type ModelKind } from "./provider-facts.ts";
import { usualInteractiveShare } from "./reserve.ts";
import { bucketOf, credentialOf } from "./route.ts";

/** What a model costs, in US dollars for a million tokens. */
export interface ListedPrice {
  readonly inputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
  /** From the price list, or from the configuration. */
  readonly source: "list" | "own";
  /** Date of the price list; null for an own price. */
  readonly asOf: string | null;
}

/** A model that a name stands for, with the state of its limits as all processes share it. */
export interface ModelCandidate extends Pick<ModelGauge, "gauges" | "inFlight" | "concurrency" | "waiting"> {
  readonly provider: string;
  readonly model: string;
  /** Where it runs, as configured; null when nothing is said. */
  readonly region: string | null;
  readonly kind: ModelKind;
  /** Classes of data that may be sent to it. */
  readonly dataClasses: readonly string[];
  /** Null when the price is unknown, and for the simulated model. */
  readonly price: ListedPrice | null;
  /** What is closed by its name when the key itself fails; null for the simulated model. */
  readonly credential: string | null;
  /** Credential and model, what limits are counted by; null for the simulated model. */
  readonly bucket: string | null;
  /** Share of every limit that only the interactive lane may use. */
  readonly interactiveShare: number;
  /** Times are ISO 8601. */
  readonly pausedUntil: string | null;
  readonly circuit: Omit<ModelGauge["circuit"], "until"> & { readonly until: string | null };
  readonly recentRateLimits: readonly (Omit<ModelGauge["recentRateLimits"][number], "at"> & { readonly at: string })[];
  readonly forecast: { readonly kind: LimitGauge["kind"]; readonly endsAt: string } | null;
}

/** A name of the configuration, with the models that it stands for in the order in which they are asked. */
export interface ModelStatus {
  readonly name: string;
  /** Whether the first is the simulated model. */
  readonly simulated: boolean;
  readonly reason: string;
  readonly candidates: readonly ModelCandidate[];
}

/** Puts what the names stand for together with what the store knows of each bucket. */
export async function describeModelStatus(
  models: ResolvedModels,
  gauges: readonly ModelGauge[],
): Promise<ModelStatus[]> {
  const known = new Map(gauges.map((gauge) => [gauge.bucket, gauge]));
  return Promise.all(
    [...models.values()].map(async ({ name, spec, fallbacks, reason }) => ({
      name,
      simulated: isSimulated(spec),
      reason,
      candidates: await Promise.all([spec, ...fallbacks].map((each) => toCandidate(each, known))),
    })),
  );
}

async function toCandidate(spec: ModelSpec, known: ReadonlyMap<string, ModelGauge>): Promise<ModelCandidate> {
  const about = { provider: spec.provider, model: modelIdOf(spec) };
  if (isSimulated(spec)) {
    const nowhere = {
      region: null,
      kind: "text",
      dataClasses: [],
      price: null,
      credential: null,
      bucket: null,
      interactiveShare: 0,
    } as const;
    return { ...about, ...nowhere, ...unused };
  }
  const bucket = bucketOf(spec);
  const gauge = known.get(bucket);
  return {
    ...about,
    region: spec.region ?? null,
    kind: kindOf(spec),
    dataClasses: spec.dataClasses ?? [],
    price: await toPrice(spec),
    credential: credentialOf(spec),
    bucket,
    interactiveShare: spec.limits?.interactiveShare ?? usualInteractiveShare,
    ...(gauge ? toState(gauge) : { ...unused, gauges: toGauges(spec), concurrency: spec.limits?.concurrency ?? null }),
  };
}

type State = Omit<
  ModelCandidate,
  "provider" | "model" | "region" | "kind" | "dataClasses" | "price" | "credential" | "bucket" | "interactiveShare"
>;

/** Of a bucket that no call has used yet. */
const unused: State = {
  gauges: [],
  inFlight: 0,
  concurrency: null,
  waiting: 0,
  pausedUntil: null,
  circuit: { state: "closed", reason: null, until: null },
  recentRateLimits: [],
  forecast: null,
};

function toState({ credential: _credential, bucket: _bucket, ...gauge }: ModelGauge): State {
  const { pausedUntil, circuit, recentRateLimits, forecast } = gauge;
  return {
    ...gauge,
    pausedUntil: pausedUntil?.toISOString() ?? null,
    circuit: { ...circuit, until: circuit.until?.toISOString() ?? null },
    recentRateLimits: recentRateLimits.map((refusal) => ({ ...refusal, at: refusal.at.toISOString() })),
    forecast: forecast && { kind: forecast.kind, endsAt: forecast.endsAt.toISOString() },
  };
}

const minuteMs = 60_000;

/** The configured limits, of which nothing is used. */
function toGauges({ limits = {} }: HostedModelSpec): LimitGauge[] {
  const { requestsPerMinute, tokensPerMinute, inputTokensPerMinute, outputTokensPerMinute } = limits;
  const configured = [
    ["requests", requestsPerMinute],
    ["input_tokens", inputTokensPerMinute],
    ["output_tokens", outputTokensPerMinute],
    ["tokens", tokensPerMinute],
  ] as const;
  return configured.flatMap(([kind, limit]) =>
    limit === undefined ? [] : [{ kind, limit, used: 0, perMs: minuteMs, learned: false }],
  );
}

async function toPrice(spec: HostedModelSpec): Promise<ListedPrice | null> {
  const price = await priceOf(spec);
  if (price === null) return null;
  const { inputUsdPerMillion, outputUsdPerMillion, source, asOf } = price;
  return { inputUsdPerMillion, outputUsdPerMillion, source, asOf };
}
