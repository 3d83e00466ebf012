import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { startSandbox, type Sandbox } from "../src/sandbox/index.ts";
import { collectRuns, findViolations, type Evidence } from "./checker.ts";
import { type Database, type Place, type Postgres, startPostgres, withDatabase } from "./database.ts";
import type { Acknowledged, Hook } from "./leads.ts";
import { sealingKey } from "./sealed-content.ts";
import { type ProcessOptions, type ServiceProcess, startService } from "./service-process.ts";
import type { ServiceSettings } from "./service.ts";

/** Signs the deliveries of all experiments. */
const hookSecret = `whsec_${Buffer.alloc(32, "sluice proof").toString("base64")}`;

/** Long enough that a killed process leaves calls under way. */
const defaults = { sandboxLatencyMs: 15, modelLatencyMs: 30 };

/** What {@link prepareLab} takes. */
export interface LabOptions {
  /** Where the data lies; left as it is by `close`. Default: a temporary folder, removed by `close`. */
  readonly folder?: string;
  /** Default: the bundled Postgres of the folder, started by the first service. */
  readonly databaseUrl?: string;
  /** What every service of the lab is started with, unless `start` says otherwise. */
  readonly service?: Partial<ServiceSettings>;
  /** Added by the outside systems to every answer. Default: 15. */
  readonly sandboxLatencyMs?: number;
  /** Decides which calls the faults with a probability hit. Default: 1. */
  readonly seed?: number;
  /** Module that decides what the models' stand-ins answer; see `SandboxOptions`. */
  readonly brain?: string;
}

/** A folder with the data of services, and the outside systems, which live on when services are killed. */
export interface Lab {
  readonly folder: string;
  readonly sandbox: Sandbox;
  /** The database of the lab's services. */
  readonly place: Place;
  /** Starts a service on the lab's data; `close` ends it where the experiment has not. */
  start(settings?: Partial<ServiceSettings>, options?: ProcessOptions): Promise<ServiceProcess>;
  /** Starts the bundled Postgres without a service, for experiments in which it lives on; `close` stops it. */
  startPostgres(): Promise<Postgres>;
  /** Where leads go to reach a service, or a proxy that is in front of it. Default of `path`: that of the examples' leads. */
  hookOf(service: Pick<ServiceProcess, "publicUrl">, path?: string): Hook;
  /** Works on the database beside the services. */
  withDatabase<T>(use: (database: Database) => Promise<T>): Promise<T>;
  /** Waits until no run is queued, running or waiting; false when some still are after the time. Default: 20 s. */
  drained(patienceMs?: number): Promise<boolean>;
  /** Reads all that the checker looks at. */
  evidence(acknowledged: readonly Acknowledged[]): Promise<Evidence>;
  /** Waits until all runs have ended (see `drained`); then gives what does not hold, and the leads whose runs were taken over. */
  verdict(
    acknowledged: readonly Acknowledged[],
    patienceMs?: number,
  ): Promise<{ readonly violations: string[]; readonly recovered: readonly Acknowledged[] }>;
  /** Ends services, outside systems and database, and removes the folder. */
  close(): Promise<void>;
}

/** Prepares a lab: folder and outside systems; services are started by the experiment. */
export async function prepareLab(options: LabOptions = {}): Promise<Lab> {
  const folder = options.folder ?? (await makeFolder());
  const sandbox = await startSandbox({
    folder: join(folder, "outside"),
    latencyMs: options.sandboxLatencyMs ?? defaults.sandboxLatencyMs,
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(options.brain !== undefined && { brain: options.brain }),
  });
  const { origin, slackUrl, hubspotUrl, credentials } = sandbox;
  const { databaseUrl } = options;
  const place: Place = databaseUrl === undefined ? { folder } : { databaseUrl };
  const services: ServiceProcess[] = [];
  const servers: Postgres[] = [];
  const lab: Lab = {
    folder,
    sandbox,
    place,
    async start(settings = {}, process = {}) {
      const base = { folder, sandbox: { origin, slackUrl, hubspotUrl, credentials } };
      const chosen = { modelLatencyMs: defaults.modelLatencyMs, ...options.service, ...settings };
      const environment = {
        LEADS_FORM_SECRET: hookSecret,
        SLUICE_KEY: sealingKey,
        ...(databaseUrl !== undefined && { SLUICE_DATABASE_URL: databaseUrl }),
        ...chosen.environment,
      };
      const service = await startService({ ...base, ...chosen, environment }, process);
      services.push(service);
      return service;
    },
    async startPostgres() {
      const server = await startPostgres(folder);
      servers.push(server);
      return server;
    },
    hookOf: ({ publicUrl }, path = "leads") => ({ url: `${publicUrl}/hooks/${path}`, secret: hookSecret }),
    withDatabase: (use) => withDatabase(place, use),
    drained: (patienceMs = 20_000) => withDatabase(place, (database) => untilDrained(database, patienceMs)),
    evidence: (acknowledged) =>
      withDatabase(place, async (database) => ({
        acknowledged,
        calls: await sandbox.calls(),
        runs: await collectRuns(database, [...new Set(acknowledged.map(({ runId }) => runId))]),
      })),
    async verdict(acknowledged, patienceMs) {
      await lab.drained(patienceMs);
      const evidence = await lab.evidence(acknowledged);
      const recovered = acknowledged.filter(({ runId }) => (evidence.runs.get(runId)?.run.recoveries ?? 0) > 0);
      return { violations: findViolations(evidence), recovered };
    },
    async close() {
      openLabs.delete(lab);
      await Promise.all(services.map((service) => service.stop()));
      await Promise.all(servers.map((server) => server.close()));
      await sandbox.close();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
  openLabs.add(lab);
  return lab;
}

const openLabs = new Set<Lab>();

/** Closes all labs that are open, when this process is told to end in the middle of an experiment. */
export async function closeLabs(): Promise<void> {
  await Promise.allSettled([...openLabs].map((lab) => lab.close()));
}

/** A temporary folder for the data of services, which Postgres may enter as another user when this is root. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-proof-"));
  await chmod(folder, 0o711);
  return folder;
}

async function untilDrained({ query }: Database, patienceMs: number): Promise<boolean> {
  const unfinished = `select 1 from sluice.runs where status in ('queued', 'running', 'waiting') limit 1`;
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await setTimeout(50)) {
    if ((await query(unfinished)).length === 0) return true;
  }
  return false;
}
