/** The process that the experiments kill: the lead-routing example, with the outside systems in a process of the test. */
import { createApp } from "sluice";
import type { SandboxAddress } from "../../src/app.ts";
import config from "../../examples/sluice.config.ts";

/** What it is started with, as JSON in its first argument. */
export interface ServiceSettings {
  readonly folder: string;
  readonly sandbox: SandboxAddress;
  /** Default: a free one. */
  readonly publicPort?: number;
  /** Shares the folder with another service. Default: false. */
  readonly worker?: boolean;
  /** How long the simulated model thinks. */
  readonly modelLatencyMs: number;
}

/** What it tells when it is ready. */
export interface ServiceReady {
  readonly publicUrl: string;
  readonly executor: string;
  readonly postmasterPid: number;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as ServiceSettings;
const app = await createApp({
  config,
  folder: settings.folder,
  environment: {},
  sandbox: settings.sandbox,
  worker: settings.worker ?? false,
  simulatedLatencyMs: settings.modelLatencyMs,
  listen: { publicPort: settings.publicPort ?? 0, adminPort: 0 },
  log: { write: () => {} },
});

/** Also when the test dies, however it dies. */
async function stop(): Promise<void> {
  await app.close();
  process.exit(0);
}
process.on("SIGTERM", () => void stop());
process.on("disconnect", () => void stop());

const ready: ServiceReady = {
  publicUrl: app.publicUrl ?? "",
  executor: app.engine.executor,
  postmasterPid: app.database.postmasterPid ?? 0,
};
process.send?.(ready);
