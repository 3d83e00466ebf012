import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Gateway, Oversight } from "./ai/index.ts";
import { openGateway } from "./app-gateway.ts";
import type { Config } from "./config.ts";
import {
  type ConnectionOverride,
  connectRuntime,
  type ConnectRuntime,
  createScrubber,
  openStandInSecrets,
  resolveSecret,
  type Scrubber,
  Secret,
} from "./connect/index.ts";
import { type AnyFlow, Cleanup, type Log, type SecretReference, type WebhookTrigger } from "./core/index.ts";
import { createEngine, type Engine } from "./engine/index.ts";
import { createLog, giveMemoryBack, keepLedgerHeads, type LogOptions, readLedgerHeads } from "./ops/index.ts";
import { type Sandbox, startSandbox } from "./sandbox/index.ts";
import { createServer, issueSetupLink, type RunningServer, type ServerOptions } from "./server/index.ts";
import {
  type EmbeddedPhase,
  openDatabase,
  type OpenDatabase,
  openMasterKey,
  openStore,
  type ProcessRole,
  type Store,
  type Workspace,
} from "./store/index.ts";
import { checkSecrets, createHookRoutes, createRefusalCounter } from "./triggers/index.ts";
import { version } from "./version.ts";

/** The only workspace for now. */
const workspaceId = "default";

/** How often live events that nobody needs any more are removed. */
const trimMs = 10 * 60_000;

/** What {@link createApp} takes. */
export interface AppOptions {
  readonly config: Config;
  /** Where the data of this installation lies. Default: `.sluice` below the working directory. */
  readonly folder?: string;
  /** Default: that of the process. */
  readonly environment?: { readonly [name: string]: string | undefined };
  /**
   * Whether outside systems are the sandbox's stand-ins, and missing secrets are made up. True starts a sandbox below
   * `folder`; one that runs already is used and left running. Default: false.
   */
  readonly sandbox?: boolean | SandboxAddress;
  /** `null`: no listeners, for a process that only executes runs. Default: the usual ports on loopback. */
  readonly listen?: Partial<ServerOptions> | null;
  /** Whether another process has the data's Postgres: this one joins it. Default: false. */
  readonly worker?: boolean;
  /** `web`: takes requests and executes no runs. Default: `all`. */
  readonly role?: ProcessRole;
  /** Milliseconds that the simulated model takes to answer. Default: 0. */
  readonly simulatedLatencyMs?: number;
  readonly log?: Partial<Pick<LogOptions, "level" | "write" | "format">>;
  /** Told what start-up is doing. */
  readonly onProgress?: (phase: StartPhase) => void;
}

/** Where a running sandbox is reached. */
export type SandboxAddress = Pick<Sandbox, "origin" | "slackUrl" | "hubspotUrl" | "credentials">;

/** What start-up is doing: the phases of the bundled Postgres, then those of the application. */
export type StartPhase = EmbeddedPhase | "migrating" | "sandbox" | "engine" | "listening";

/** A running application. */
export interface App {
  /** Such as `http://127.0.0.1:4600`; null without listeners. */
  readonly publicUrl: string | null;
  readonly adminUrl: string | null;
  readonly database: Pick<OpenDatabase, "kind" | "postmasterPid"> & { readonly version: string };
  readonly models: ReturnType<Gateway["describe"]>;
  /** What people oversee the gateway by: state of models, tests, circuits, the data map. */
  readonly oversight: Oversight;
  /** The one that this application started. */
  readonly sandbox: Sandbox | null;
  readonly engine: Engine;
  readonly workspace: Workspace;
  readonly log: Log;
  /** The value of a secret, for whoever signs test deliveries. @throws SECRET_MISSING */
  revealSecret(reference: SecretReference): string;
  /** A one-time link with which the first user is made; null when there is one. */
  setupLink(): Promise<string | null>;
  /** Answers requests as the public listener does, to mount it in a server of your own as well; null without listeners. */
  readonly fetch: RunningServer["publicFetch"] | null;
  /** Takes nothing new, ends what is under way, and closes everything that it opened. */
  close(): Promise<void>;
}

/**
 * Starts an application: database, engine, listeners. The only place where the rooms are wired together.
 *
 * @throws DATABASE_*, CONFIG_INVALID, SECRET_MISSING, PORT_IN_USE; what was opened by then is closed again.
 */
export function createApp(options: AppOptions): Promise<App> {
  return Cleanup.during((cleanup) => openApp(options, cleanup));
}

async function openApp(options: AppOptions, cleanup: Cleanup): Promise<App> {
  const { config, folder = ".sluice", onProgress = () => {} } = options;
  const secrets = await openSecrets(options, folder);
  const log = createLog({ format: "json", ...options.log, scrub: secrets.scrubber.scrub });

  const sandboxStart = options.sandbox === true ? startSandbox({ folder: join(folder, "sandbox") }) : null;
  // Awaited below. When the database fails first, it is closed as soon as it has started, and its failure is no other one.
  sandboxStart?.catch(() => {});
  cleanup.add(async () => (await sandboxStart?.catch(() => null))?.close());
  const { database, store } = await openData(options, { folder, secrets, log, cleanup });
  const workspace = store.workspace(workspaceId);
  const refusals = createRefusalCounter({
    write: (path, code, times) => workspace.refusals.count(`webhook:${path}`, code, times),
    onFailed: () => log.warn("refusals.not_counted"),
  });
  cleanup.add(() => refusals.close());
  const sandbox = await sandboxStart;
  const standIns = typeof options.sandbox === "object" ? options.sandbox : sandbox;

  const gateway = await openGateway({
    config,
    environment: secrets.environment,
    resolveSecret: (reference) => secrets.resolve(reference).reveal(),
    store,
    workspace,
    executes: options.role !== "web",
    simulatedLatencyMs: options.simulatedLatencyMs,
    log,
    cleanup,
  });
  // Before the engine, so that it closes after it, and keeps a head with all that the engine's last calls added.
  const heads = keepLedgerHeads({ folder, read: () => store.ledgerHeads(), log });
  cleanup.add(() => heads.close());
  onProgress("engine");
  const engine = await createEngine({
    store,
    databaseUrl: database.url,
    flows: config.flows,
    ai: gateway.ai,
    services: [{ key: connectRuntime, service: createConnectRuntime({ config, secrets, workspace, standIns }) }],
    log,
    role: options.role ?? "all",
    ...(config.concurrency !== undefined && { concurrency: config.concurrency }),
    ...(config.maxQueued !== undefined && { maxQueued: config.maxQueued }),
    ...(config.groupCheckpoints !== undefined && { groupCheckpoints: config.groupCheckpoints }),
  });
  cleanup.add(() => engine.close());
  const trim = (): void => void store.trimChanges().catch(() => log.warn("changes.not_trimmed"));
  const trimming = setInterval(trim, trimMs).unref();
  cleanup.add(() => clearInterval(trimming));
  const memory = giveMemoryBack();
  cleanup.add(() => memory.close());

  const { kind, postmasterPid } = database;
  const app = {
    database: { kind, postmasterPid, version: await store.serverVersion() },
    gateway,
    sandbox,
    engine,
    workspace,
    refusals,
    log,
  };
  const server = options.listen === null ? null : await openServer(options, { ...app, secrets, store });
  if (server) cleanup.add(() => server.close());
  onProgress("listening");
  return {
    ...app,
    publicUrl: server?.publicUrl ?? null,
    adminUrl: server?.adminUrl ?? null,
    models: gateway.describe(),
    oversight: gateway.oversight,
    revealSecret: (reference) => secrets.resolve(reference).reveal(),
    setupLink: async () => (server ? issueSetupLink(workspace.people, server.adminUrl, new Date()) : null),
    fetch: server?.publicFetch ?? null,
    close: () => cleanup.close(),
  };
}

/** Database and store, open. */
async function openData(
  { worker, sandbox, onProgress = () => {} }: AppOptions,
  parts: { readonly folder: string; readonly secrets: Secrets; readonly log: Log; readonly cleanup: Cleanup },
): Promise<{ readonly database: OpenDatabase; readonly store: Store }> {
  const { folder, secrets, log, cleanup } = parts;
  const database = await openDatabase({
    url: secrets.environment["SLUICE_DATABASE_URL"] || undefined,
    dataFolder: join(folder, "postgres"),
    role: worker ? "guest" : "owner",
    onProgress,
    onFailure: (error) => log.error("database.not_restarted", { code: error.code }),
  });
  cleanup.add(() => database.close());
  onProgress("migrating");
  const store = await openStore({
    url: database.url,
    key: secrets.masterKey,
    sandbox: Boolean(sandbox),
    onError: () => log.warn("database.connection_lost"),
  });
  cleanup.add(() => store.close());
  return { database, store };
}

interface Secrets {
  readonly environment: { readonly [name: string]: string | undefined };
  readonly scrubber: Scrubber;
  /** Every secret that is handed out is known to the scrubber from then on. */
  readonly resolve: (reference: SecretReference) => Secret;
  /** What all stored content is sealed with, by way of other keys. */
  readonly masterKey: Buffer;
}

async function openSecrets(
  { config, sandbox, environment = process.env }: AppOptions,
  folder: string,
): Promise<Secrets> {
  const scrubber = createScrubber();
  const unset = namedSecrets(config).filter((name) => !environment[name]?.trim());
  const standIns = sandbox ? await openStandInSecrets(join(folder, "sandbox", "secrets.json"), unset) : {};
  const all = { ...environment, ...Object.fromEntries(unset.map((name) => [name, standIns[name]])) };
  const known = new Map<string, Secret>();
  const resolve = (reference: SecretReference): Secret => {
    const before = known.get(reference.secret);
    if (before) return before;
    const value = resolveSecret(reference, all);
    scrubber.add(value);
    known.set(reference.secret, value);
    return value;
  };
  const masterKey = await openMasterKey({ environment, folder });
  for (const form of ["base64url", "base64", "hex"] as const) {
    scrubber.add(new Secret("SLUICE_KEY", masterKey.toString(form).replace(/=+$/, "")));
  }
  return { environment: all, scrubber, resolve, masterKey };
}

/** The flows that webhooks start. */
function hooksOf({ flows }: Config): { readonly flow: AnyFlow; readonly trigger: WebhookTrigger }[] {
  return flows.flatMap((flow) => (flow.trigger.kind === "webhook" ? [{ flow, trigger: flow.trigger }] : []));
}

function namedSecrets(config: Config): string[] {
  const hooks = hooksOf(config).flatMap(({ trigger }) => ("secrets" in trigger.verify ? trigger.verify.secrets : []));
  const connections = (config.connections ?? []).flatMap(({ connection }) => connection.secrets);
  return [...hooks, ...connections].map((reference) => reference.secret);
}

function createConnectRuntime(parts: {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly workspace: Workspace;
  readonly standIns: SandboxAddress | null;
}): ConnectRuntime {
  const { config, secrets, workspace, standIns } = parts;
  const overrides = new Map<string, ConnectionOverride>();
  if (standIns) {
    const { slackUrl, hubspotUrl, credentials } = standIns;
    overrides.set("slack", { baseUrl: slackUrl, secrets: { token: credentials.slackToken } });
    overrides.set("hubspot", { baseUrl: hubspotUrl, secrets: { token: credentials.hubspotToken } });
  }
  return {
    resolveSecret: secrets.resolve,
    override: ({ connector }) => overrides.get(connector),
    allowedOrigins: [...(config.allowedOrigins ?? []), ...(standIns ? [standIns.origin] : [])],
    receipts: workspace.effects,
  };
}

interface ServerParts {
  readonly database: App["database"];
  readonly gateway: Awaited<ReturnType<typeof openGateway>>;
  readonly engine: Engine;
  readonly workspace: Workspace;
  readonly refusals: ReturnType<typeof createRefusalCounter>;
  readonly log: Log;
  readonly secrets: Secrets;
  readonly store: Store;
}

async function openServer(options: AppOptions, parts: ServerParts): Promise<RunningServer> {
  const { engine, workspace, log, store } = parts;
  const { config, listen } = options;
  const hooks = hooksOf(config);
  const flows = config.flows.map((flow) => ({ flow, trigger: flow.trigger }));
  const configuredUrl = parts.secrets.environment["SLUICE_PUBLIC_URL"]?.replace(/\/+$/, "");
  const serverOptions: ServerOptions = {
    publicHost: "127.0.0.1",
    publicPort: 4600,
    adminHost: "127.0.0.1",
    adminPort: 4601,
    allowedHosts: config.allowedHosts ?? [],
    dashboardFolder: fileURLToPath(new URL("../dist/dashboard", import.meta.url)),
    secureCookies: false,
    ...listen,
  };
  const publicUrl = configuredUrl ?? `http://${serverOptions.publicHost}:${serverOptions.publicPort}`;
  const startedAt = new Date().toISOString();
  let listening: RunningServer | null = null;
  listening = await createServer(
    {
      workspace,
      flows: () => flows,
      maxQueued: config.maxQueued,
      engine: {
        resume: (runId) => engine.resume(workspaceId, runId),
        cancel: (runId) => engine.cancel(workspaceId, runId),
        signal: (runId, name, value) => engine.signal(workspaceId, runId, name, value),
        accept: (event) => engine.accept(workspaceId, event),
        migrate: (runId) => engine.migrate(workspaceId, runId),
        recheck: (flow) => engine.recheck(workspaceId, flow),
        rule: (runId, ruling) => engine.rule(workspaceId, runId, ruling),
      },
      gateway: {
        models: () => parts.gateway.oversight.models(),
        test: (name) => parts.gateway.oversight.test(name),
        resume: (credential, by) => parts.gateway.oversight.resume(credential, by ?? "unknown"),
        dataMap: (period) => parts.gateway.oversight.dataMap(period),
      },
      ledger: {
        ...workspace.ledger,
        verify: async () =>
          workspace.ledger.verify({ heads: await readLedgerHeads(options.folder ?? ".sluice"), content: true }),
      },
      status: async () => ({
        version,
        startedAt,
        sandbox: Boolean(options.sandbox),
        database: { kind: parts.database.kind, version: parts.database.version },
        models: [...parts.gateway.describe()],
        queuedRuns: engine.queued,
      }),
      isReady: () =>
        store.ping().then(
          () => true,
          () => false,
        ),
      hooks: await openHooks(hooks, parts, publicUrl),
      log,
      // Port 0 becomes a real one only by listening.
      get publicUrl() {
        return configuredUrl ?? listening?.publicUrl ?? publicUrl;
      },
    },
    serverOptions,
  );
  return listening;
}

/** Checks the secrets of all hooks, so that a missing one is told at start and not by refused deliveries. */
async function openHooks(
  hooks: readonly { readonly flow: AnyFlow; readonly trigger: WebhookTrigger }[],
  { secrets, engine, refusals, log }: ServerParts,
  publicUrl: string,
): Promise<ReturnType<typeof createHookRoutes>> {
  const reveal = (reference: SecretReference): string => secrets.resolve(reference).reveal();
  for (const { flow, trigger } of hooks) {
    if ("scheme" in trigger.verify) await checkSecrets(trigger.verify, reveal);
    else log.warn("hook.unsigned", { flow: flow.name, path: trigger.path });
  }
  return createHookRoutes(hooks, {
    resolveSecret: reveal,
    accept: ({ path, ...delivery }) =>
      engine.accept(workspaceId, { ...delivery, source: `webhook:${path}`, sample: false }),
    waitForRun: (runId, timeoutMs, signal) => engine.waitForEnd(workspaceId, runId, timeoutMs, signal),
    countRefusal({ path, code }) {
      log.info("webhook.refused", { path, code });
      refusals.count(path, code);
    },
    now: () => new Date(),
    publicUrl,
  });
}
