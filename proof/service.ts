/** The process that the experiments kill, freeze and cut off: an application, with the outside systems in a process of the experiment. */
import { appendFileSync } from "node:fs";
import { createApp } from "sluice";
import type { AppOptions, SandboxAddress } from "../src/app.ts";
import type { Config } from "../src/config.ts";
import type { Json } from "../src/core/index.ts";
import { watchLoop } from "./event-loop.ts";
import { notePoints } from "./points.ts";

/** What it is started with, as JSON in its first argument. */
export interface ServiceSettings {
  readonly folder: string;
  readonly sandbox: SandboxAddress;
  /** Address of a module whose default export is the configuration. Default: the examples'. */
  readonly config?: string;
  /** Put over the configuration, such as `{ concurrency: 300 }`. */
  readonly overrides?: Partial<Config>;
  /** Secrets and settings by name; nothing is taken from the environment of the experiment. */
  readonly environment?: { readonly [name: string]: string };
  /** Default: a free one. */
  readonly publicPort?: number;
  /** Default: a free one. */
  readonly adminPort?: number;
  /** Shares the folder with another service. Default: false. */
  readonly worker?: boolean;
  /** Default: that of the application. */
  readonly role?: "web" | "worker" | "all";
  /** How long the simulated model thinks. Default: 0. */
  readonly modelLatencyMs?: number;
  /** Whether it counts its points of input and output, and can be told to die at one. Default: false. */
  readonly crashPoints?: boolean;
  /** With `crashPoints`: the point at which it dies, counted from its start. Default: none; counting begins when it is told. */
  readonly dieAt?: string | null;
  /** Where its log goes, with all that it can say. Default: nowhere. */
  readonly logFile?: string;
}

/** What a running service can be asked and told over IPC. Each is answered once. */
export type ServiceOrder =
  /** How long the event loop was blocked at most since this was asked before, in milliseconds; see watchLoop. */
  | { readonly order: "blocked" }
  /** Gives a run a value, as the API does. Answers whether it is the first of its name. */
  | { readonly order: "signal"; readonly runId: string; readonly name: string; readonly value: Json }
  /** Begins to note the points that are passed, and dies at the one given. */
  | { readonly order: "watch"; readonly dieAt: string | null }
  /** The points that were passed since then. */
  | { readonly order: "passed" };

/** What it tells when it is ready. */
export interface ServiceReady {
  /** Empty without listeners. */
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly executor: string;
  /** 0 when the database is not the bundled one. */
  readonly postmasterPid: number;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as ServiceSettings;
const configUrl = settings.config ?? new URL("../examples/sluice.config.ts", import.meta.url).href;
const points = settings.crashPoints ? notePoints() : null;
if (settings.dieAt !== undefined) points?.watch(settings.dieAt);
const { default: config } = (await import(configUrl)) as { default: Config };
const options: AppOptions = {
  config: { ...config, ...settings.overrides },
  folder: settings.folder,
  environment: settings.environment ?? {},
  sandbox: settings.sandbox,
  worker: settings.worker ?? false,
  simulatedLatencyMs: settings.modelLatencyMs ?? 0,
  listen: { publicPort: settings.publicPort ?? 0, adminPort: settings.adminPort ?? 0 },
  log: logOf(settings),
  ...(settings.role && { role: settings.role }),
};
const app = await createApp(options);

/** Lines are on disk, as far as the system is concerned, when it dies. */
function logOf({ logFile }: ServiceSettings): AppOptions["log"] {
  if (logFile === undefined) return { write: () => {} };
  return { level: "debug", format: "json", write: (line) => appendFileSync(logFile, line) };
}

/** Also when the experiment dies, however it dies. */
async function stop(): Promise<void> {
  await app.close();
  process.exit(0);
}
process.on("SIGTERM", () => void stop());
process.on("disconnect", () => void stop());

const ready: ServiceReady = {
  publicUrl: app.publicUrl ?? "",
  adminUrl: app.adminUrl ?? "",
  executor: app.engine.executor,
  postmasterPid: app.database.postmasterPid ?? 0,
};
const loop = watchLoop();
async function obey(told: ServiceOrder): Promise<Json> {
  switch (told.order) {
    case "blocked":
      return loop.takeLongestMs();
    case "signal":
      return app.engine.signal(app.workspace.id, told.runId, told.name, told.value);
    case "watch":
      points?.watch(told.dieAt);
      return null;
    case "passed":
    default:
      return [...(points?.passed() ?? [])];
  }
}
process.on("message", (told: ServiceOrder & { readonly id: number }) => {
  const answer = (result: object): void => void process.send?.({ id: told.id, ...result });
  obey(told).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : "unknown" }),
  );
});
process.send?.(ready);
