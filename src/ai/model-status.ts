import type { ModelGauge } from "../store/index.ts";
import { isSimulated, modelIdOf, type ModelSpec, type ResolvedModels } from "./model-spec.ts";
import { priceOf } from "./prices.ts";
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
export interface ModelCandidate {
  readonly provider: string;
  readonly model: string;
  readonly region: string | null;
  readonly kind: "text" | "embedding" | "rerank";
  readonly dataClasses: readonly string[];
  /** Null when the price is unknown. */
  readonly price: ListedPrice | null;
  /** What is paused or opened by its name when the key itself fails; null for the simulated model. */
  readonly credential: string | null;
  readonly bucket: string | null;
  /** Used of each limit; empty before the first call, and where nothing limits. */
  readonly gauges: readonly Pick<ModelGauge["gauges"][number], "kind" | "limit" | "used" | "perMs" | "learned">[];
  readonly inFlight: number;
  readonly concurrency: number | null;
  readonly waiting: number;
  /** Times are ISO 8601. */
  readonly pausedUntil: string | null;
  readonly circuit: {
    readonly state: "closed" | "open" | "probing";
    readonly reason: string | null;
    readonly until: string | null;
  };
  readonly recentRateLimits: readonly {
    readonly at: string;
    readonly reason: string;
    readonly retryAfterMs: number | null;
  }[];
  readonly forecast: {
    readonly kind: ModelGauge["gauges"][number]["kind"];
    readonly endsAt: string;
  } | null;
}

/** A name of the configuration, with the models that it stands for in the order in which they are asked. */
export interface ModelStatus {
  readonly name: string;
  /** Whether the first is the simulated model. */
  readonly simulated: boolean;
  readonly reason: string;
  readonly candidates: readonly ModelCandidate[];
}
