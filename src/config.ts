import type { ModelsConfig, OverallBudget } from "./ai/index.ts";
import { type AnyFlow, type MaskPolicy, SluiceError } from "./core/index.ts";
import type { DescribedConnection } from "./connect/index.ts";

/** What happens to personal values on their way to a model, and who finds them. */
export interface MaskingConfig {
  /** By kind; a flow or a call may say otherwise. Default of every kind: `mask`. */
  readonly policy?: MaskPolicy;
  /** A Presidio analyzer that is asked besides the rules that are built in. While it does not answer, no call leaves. Default: none. */
  readonly presidio?: { readonly url: string; readonly language?: string; readonly scoreThreshold?: number };
  /** How long placeholders are kept with what they stand for, in days. Default: 30. */
  readonly keepDays?: number;
}

/** What an application is made of. */
export interface Config {
  readonly flows: readonly AnyFlow[];
  /** Listed so that `sluice doctor` can tell which secrets are missing. Default: none. */
  readonly connections?: readonly DescribedConnection[];
  /**
   * The one place where models are chosen. Default: by what is in the environment (a provider's key, a model server on
   * this machine), else the simulated model.
   *
   * @example
   * models: { fast: { provider: "openai", model: "gpt-5-mini" }, smart: { provider: "anthropic", model: "claude-sonnet-4-5" } }
   */
  readonly models?: ModelsConfig;
  /** Limits of money over all flows, in US dollars. Default: none. */
  readonly budget?: OverallBudget;
  /** What happens to personal values on their way to a model. Default: every kind is masked. */
  readonly masking?: MaskingConfig;
  /** How often requests of the batch lane are handed over, and their answers looked for, in milliseconds. Default of both: 30,000. */
  readonly batchLane?: { readonly submitEveryMs?: number; readonly pollEveryMs?: number };
  /** Origins in a private network that connections may reach, such as `http://crm.internal:8080`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Host names by which the listeners may be addressed, besides localhost and that of `SLUICE_PUBLIC_URL`. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Most runs that a process executes at once. Default: 100. */
  readonly concurrency?: number;
  /**
   * Whether concurrent runs share the commits of their checkpoints, which makes them several times as fast. It replaces
   * inner methods of the engine beneath; false leaves that as it is. Default: true.
   */
  readonly groupCheckpoints?: boolean;
  /** Most runs that may be queued; beyond, deliveries are answered 503 with the time to try again. Default: 100,000. */
  readonly maxQueued?: number;
}

/**
 * Declares an application; `sluice.config.ts` exports what it gives as default.
 *
 * @throws CONFIG_INVALID when two flows share a name.
 */
export function defineConfig(config: Config): Config {
  const names = config.flows.map((flow) => flow.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return config;
  throw new SluiceError("CONFIG_INVALID", {
    message: `two flows are named "${twice}"`,
    hint: "Give each flow a name of its own.",
  });
}
