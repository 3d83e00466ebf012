import {
  builtInDetectors,
  checkModels,
  createGateway,
  createOversight,
  createPresidioDetector,
  defaultLocalServers,
  type Gateway,
  type GatewayOptions,
  type ModelSpec,
  type Oversight,
  type ResolvedModels,
  resolveModels,
  startBatchRunner,
} from "./ai/index.ts";
import type { Config } from "./config.ts";
import { createGuardedFetch } from "./connect/index.ts";
import type { Cleanup, Log, SecretReference } from "./core/index.ts";
import { type Store, subjectIndexes, type Workspace } from "./store/index.ts";

/** What {@link openGateway} takes. */
export interface AppGatewayOptions {
  readonly config: Config;
  readonly environment: { readonly [name: string]: string | undefined };
  readonly resolveSecret: (reference: SecretReference) => string;
  readonly store: Store;
  readonly workspace: Workspace;
  /** Whether this process executes runs, and so hands over batches and removes what is out of date. */
  readonly executes: boolean;
  /** Milliseconds that the simulated model takes to answer. */
  readonly simulatedLatencyMs: number | undefined;
  readonly log: Log;
  readonly cleanup: Cleanup;
}

const dayMs = 24 * 60 * 60_000;
const defaultKeepDays = 30;
/** How often placeholders and limits that nobody needs any more are removed. */
const sweepMs = 60 * 60_000;

/**
 * Wires the gateway: models by configuration and environment, detectors, limits, ledger, the batch lane.
 *
 * @throws CONFIG_INVALID, PEER_MISSING, MODEL_UNKNOWN or MODEL_PRICE_UNKNOWN for what would fail at the first call.
 */
export async function openGateway(options: AppGatewayOptions): Promise<Gateway & { readonly oversight: Oversight }> {
  const { config, store, workspace, log, cleanup, resolveSecret } = options;
  const { models: written = {}, flows, budget, masking } = config;
  const fetch = createGuardedFetch({ allowedOrigins: namedOrigins(config), timeoutMs: longestRequestMs(config) });
  cleanup.add(() => fetch.close());
  const resolved = await resolveModels({ config: written, environment: options.environment, detectLocal: true, fetch });
  const models = withLatency(resolved, options.simulatedLatencyMs);
  await checkModels({ config: written, models, flows, budget });
  const presidio = masking?.presidio;
  const gateway: GatewayOptions = {
    fetch,
    resolveSecret,
    models,
    journalFor: (id) => {
      const { aiCalls, batches } = store.workspace(id);
      return { ...aiCalls, batches };
    },
    subjectIndexes: (values) => subjectIndexes(store.keyring, values),
    async allowBudget(id, { account, extraMicroUsd, key }) {
      const { budgets, ledger } = store.workspace(id);
      if (!(await budgets.allow(account, extraMicroUsd, key))) return;
      const runId = key.split("/", 1)[0] ?? null;
      const data = { account, extraMicroUsd, step: key };
      await ledger.append([{ at: new Date(), kind: "budget.allowed", runId, ref: null, digest: null, data }]);
    },
    detectors: [...builtInDetectors(), ...(presidio ? [createPresidioDetector({ ...presidio, fetch })] : [])],
    masking: masking?.policy,
    budget,
    vaultMs: (masking?.keepDays ?? defaultKeepDays) * dayMs,
    log,
  };
  if (options.executes) keepHouse(options, gateway);
  return {
    ...createGateway(gateway),
    oversight: createOversight({ gateway, flows, limits: store.limits, workspace }),
  };
}

/** What processes that execute runs do beside them. */
function keepHouse({ config, store, workspace, log, cleanup }: AppGatewayOptions, gateway: GatewayOptions): void {
  const { submitEveryMs, pollEveryMs } = config.batchLane ?? {};
  const { models, journalFor } = gateway;
  const line = store.batches;
  const runner = startBatchRunner({ line, models, access: gateway, journalFor, log, submitEveryMs, pollEveryMs });
  cleanup.add(() => runner.close());
  const sweep = (): void =>
    void Promise.all([workspace.aiCalls.sweepVaults(), store.limits.sweep()]).catch(() =>
      log.warn("gateway.not_swept"),
    );
  const sweeping = setInterval(sweep, sweepMs).unref();
  cleanup.add(() => clearInterval(sweeping));
}

function withLatency(models: ResolvedModels, latencyMs: number | undefined): ResolvedModels {
  if (latencyMs === undefined) return models;
  const slow = (spec: ModelSpec): ModelSpec => (spec.provider === "simulated" ? { ...spec, latencyMs } : spec);
  return new Map(
    [...models].map(([name, model]) => [
      name,
      { ...model, spec: slow(model.spec), fallbacks: model.fallbacks.map(slow) },
    ]),
  );
}

const usualTimeoutMs = 60_000;
/** How long an answer that came too late is still listened to, so that its cost is known; and some more. */
const lateMs = 120_000;

function longestRequestMs({ models = {} }: Config): number {
  const timeouts = Object.values(models)
    .flat()
    .map((spec) => ("timeoutMs" in spec ? (spec.timeoutMs ?? usualTimeoutMs) : usualTimeoutMs));
  return Math.max(usualTimeoutMs, ...timeouts) + lateMs;
}

/** Servers on this machine and those that the configuration names: they are often in a private network. */
function namedOrigins({ models = {}, masking }: Config): string[] {
  const specs = Object.values(models).flat();
  const named = specs.flatMap((spec) => ("baseUrl" in spec && spec.baseUrl ? [spec.baseUrl] : []));
  const urls = masking?.presidio ? [...named, masking.presidio.url] : named;
  return [...defaultLocalServers.map((server) => server.origin), ...urls.map((url) => new URL(url).origin)];
}
