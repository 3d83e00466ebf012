import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type App, createApp, SluiceError } from "sluice";
import type { StartPhase } from "../../src/app.ts";
import { leadsForm } from "../connections.ts";
import config from "../sluice.config.ts";
import type { Terminal } from "./terminal.ts";

/** The running application, as the demo sees it. */
export interface DemoApplication {
  readonly app: App;
  /** Where deliveries are sent. */
  readonly hookUrl: string;
  /** The same for a folder at every start, and different from those of other folders. */
  readonly folderId: string;
  /** What the flow asks: `simulated-1 (SIMULATED)` or `gpt-x (openai)`; the name is without the provider. */
  readonly model: string;
  readonly modelName: string;
  readonly simulated: boolean;
  /** Why it is that model, such as `OPENAI_API_KEY is set`. */
  readonly modelReason: string;
  /** Such as `embedded 18.4`. */
  readonly database: string;
  /** From the start of the process. */
  readonly readyMs: number;
  readonly logFile: string;
  close(): Promise<void>;
}

/** Long enough to be seen, as a model is. */
const simulatedLatencyMs = 400;

/**
 * Starts the application in the sandbox.
 *
 * @throws as createApp; DATABASE_FOLDER_UNREACHABLE when the folder cannot be written.
 */
export async function startApplication(folder: string, terminal: Terminal): Promise<DemoApplication> {
  const log = await openLog(folder);
  if (process.env["SLUICE_DATABASE_URL"]) {
    terminal.event("database", "your own Postgres, as SLUICE_DATABASE_URL is set");
  }
  const start = async (listen: Awaited<ReturnType<typeof choosePorts>>) =>
    createApp({
      config,
      folder,
      environment: demoEnvironment(),
      sandbox: true,
      listen,
      simulatedLatencyMs,
      log: { level: "debug", format: "json", write: log.write },
      onProgress: (phase) => tellPhase(terminal, phase),
    });
  const app = await start(await choosePorts()).catch((error: unknown) => {
    // Somebody took the port since it was tried.
    if (error instanceof SluiceError && error.code === "PORT_IN_USE") return start({ publicPort: 0, adminPort: 0 });
    throw error;
  });
  return {
    app,
    hookUrl: `${app.publicUrl}/hooks/leads`,
    folderId: idOf(app),
    ...describeModel(app),
    database: `${app.database.kind} ${app.database.version.split(" ")[0]}`,
    readyMs: Math.round(performance.now()),
    logFile: log.file,
    close: async () => {
      await app.close();
      await log.close();
    },
  };
}

async function openLog(folder: string) {
  const file = join(folder, "sluice.log");
  try {
    await mkdir(folder, { recursive: true });
    const stream = createWriteStream(file, { flags: "a", mode: 0o600 });
    await new Promise<void>((resolve, reject) => stream.once("open", () => resolve()).once("error", reject));
    return {
      file,
      write: (line: string) => void stream.write(line),
      close: () => new Promise<void>((resolve) => void stream.end(resolve)),
    };
  } catch (error) {
    throw new SluiceError("DATABASE_FOLDER_UNREACHABLE", {
      message: `the folder ${folder} cannot be written (${(error as NodeJS.ErrnoException).code})`,
      hint: "Choose another one with --folder DIR.",
      cause: error,
    });
  }
}

/** A secret of the same name is that of a real form, and no business of a demo: a stand-in is made up instead. */
function demoEnvironment(): NodeJS.ProcessEnv {
  const own = new Set(leadsForm.secrets.map((reference) => reference.secret));
  return Object.fromEntries(Object.entries(process.env).filter(([name, value]) => value !== "" && !own.has(name)));
}

/** The usual ports, or any free one in place of a taken one. */
async function choosePorts(): Promise<{ publicPort: number; adminPort: number }> {
  const [publicPort, adminPort] = await Promise.all([4600, 4601].map(portOrAny));
  return { publicPort: publicPort ?? 0, adminPort: adminPort ?? 0 };
}

function portOrAny(port: number): Promise<number> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", () => resolve(0));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(port)));
  });
}

/** Digest of a token that the sandbox makes once: who has it has the record of what the runs did outside. */
function idOf(app: App): string {
  const token = app.sandbox?.credentials.slackToken ?? "";
  return createHash("sha256").update(token).digest("hex").slice(0, 12);
}

/** The flow names no model, so it asks the one called `fast`. */
function describeModel({ models }: App): Pick<DemoApplication, "model" | "modelName" | "simulated" | "modelReason"> {
  const fast = models.find(({ name }) => name === "fast");
  if (!fast) throw new SluiceError("MODEL_UNKNOWN", { message: "no model is named fast" });
  const { simulated, model, provider, reason } = fast;
  return {
    model: `${model} (${simulated ? "SIMULATED" : provider})`,
    modelName: simulated ? `${model} (SIMULATED)` : model,
    simulated,
    modelReason: reason,
  };
}

const phases: { readonly [Phase in StartPhase]?: readonly [label: string, text: string] } = {
  relocated: ["database", "as root: it lies below /var/lib/sluice, as its user may not enter the folder"],
  preparing: ["database", "making a Postgres cluster (only at the first start)"],
  starting: ["database", "starting Postgres"],
  adopted: ["database", "Postgres still runs since a killed demo; going on with it"],
  lost: ["database", "Postgres died; bringing it back"],
  migrating: ["database", "bringing the tables up to date"],
  engine: ["engine", "starting, and taking over what a killed process left"],
};

function tellPhase(terminal: Terminal, phase: StartPhase): void {
  const words = phases[phase];
  if (words) terminal.event(...words);
}
