import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { SluiceError } from "../../core/index.ts";
import { askServer } from "./ask-server.ts";
import type { Binaries } from "./binaries.ts";
import type { Layout } from "./layout.ts";
import { choosePort, forgetPort } from "./ports.ts";
import {
  disownPostmasterFile,
  isPostmaster,
  isSameFolder,
  readPostmasterFile,
  type PostmasterFile,
} from "./postmaster-file.ts";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";
import { spawnOptions } from "./run-program.ts";
import { openLog, readLogTail, sizeOf } from "./server-log.ts";
import { serverArguments } from "./settings.ts";
import { waitUntil } from "./wait-until.ts";

/** A server that accepts connections. */
export interface Postmaster {
  readonly identity: ProcessIdentity;
  readonly port: number;
  /** "18.4" */
  readonly version: string;
}

/** A crash recovery may have a gigabyte of log to go through. */
const startTimeoutMs = 120_000;

/** How long what is left of a killed server, or of other programs on its port, may hinder the next start. */
const hindranceTimeoutMs = 15_000;

/** How long a stop may take before it is made harder. */
const stopTimeoutMs = 20_000;

/**
 * Finds the server of this data folder, waiting while it is starting, recovering or dying; `undefined` when there is none.
 * A process that merely got the pid of an earlier server is not taken for one.
 *
 * @throws DATABASE_START_FAILED when a server is alive but never answers
 */
export async function findPostmaster(layout: Layout): Promise<Postmaster | undefined> {
  const settled = await waitUntil(() => lookForPostmaster(layout), { timeoutMs: startTimeoutMs });
  if (settled === undefined) throw await startFailure(layout, "the running Postgres does not answer");
  return settled === "none" ? undefined : settled;
}

/** `undefined`: not decided yet. */
async function lookForPostmaster(layout: Layout): Promise<Postmaster | "none" | undefined> {
  const file = await readPostmasterFile(layout);
  if (file === undefined || !(await isPostmaster(file.pid, layout))) return "none";
  return file.isReady ? await recognise(file, layout) : undefined;
}

/** Asks the server at that port which data it serves; `undefined` when it does not answer, or serves other data. */
async function recognise({ pid, port }: PostmasterFile, layout: Layout): Promise<Postmaster | undefined> {
  const identity = identify(pid);
  const answer = await askServer(layout.passwordFile, port);
  if (answer === undefined || !(await isSameFolder(answer.data, layout.data))) return undefined;
  return { identity, port, version: answer.version };
}

/**
 * Starts the server of a folder that has none. Call it inside the gate.
 *
 * @throws DATABASE_START_FAILED with the last lines of its log
 */
export async function startPostmaster(layout: Layout, binaries: Binaries): Promise<Postmaster> {
  let failure: SluiceError | undefined;
  const attempt = async (): Promise<Postmaster | undefined> => {
    const result = await tryStart(layout, binaries);
    if (!(result instanceof SluiceError)) return result;
    failure = result;
    if (!(await clearHindrance(layout, JSON.stringify(result.details)))) throw result;
    return undefined;
  };
  const started = await waitUntil(attempt, { timeoutMs: hindranceTimeoutMs, everyMs: 50 });
  if (started === undefined) throw failure ?? (await startFailure(layout, "Postgres did not start"));
  return started;
}

/** Whether the log speaks of something that passes by itself, or that another port avoids. */
async function clearHindrance({ stateFile }: Layout, log: string): Promise<boolean> {
  if (log.includes("could not bind")) {
    await forgetPort(stateFile);
    return true;
  }
  // Backends of a killed server live until they notice; starting beside them would destroy data, and Postgres refuses to.
  if (log.includes("pre-existing shared memory block")) return true;
  // A process that was killed right after it had started a server: that server has just got ready.
  return /lock file .* already exists/.test(log);
}

async function tryStart(layout: Layout, binaries: Binaries): Promise<Postmaster | SluiceError> {
  const late = await findPostmaster(layout);
  if (late !== undefined) return late;
  await disownPostmasterFile(layout);
  const port = await choosePort(layout.stateFile);
  const logStart = await sizeOf(layout.logFile);
  const child = await spawnPostgres(layout, binaries, port);
  try {
    const outcome = await waitUntil(() => outcomeOf(child, layout), { timeoutMs: startTimeoutMs });
    if (outcome !== undefined && outcome !== "ended") return outcome;
    child.kill("SIGQUIT");
    const what = outcome === "ended" ? "Postgres ended while starting" : "Postgres did not get ready";
    return await startFailure(layout, what, logStart);
  } catch (error) {
    child.kill("SIGINT");
    throw error;
  }
}

/** `undefined`: neither ready nor ended yet. */
async function outcomeOf(child: ChildProcess, layout: Layout): Promise<Postmaster | "ended" | undefined> {
  if (child.exitCode !== null || child.signalCode !== null) return "ended";
  const file = await readPostmasterFile(layout);
  return file?.pid === child.pid && file?.isReady ? await recognise(file, layout) : undefined;
}

async function spawnPostgres(layout: Layout, binaries: Binaries, port: number): Promise<ChildProcess> {
  const log = await openLog(layout.logFile);
  try {
    const child = spawn(binaries.postgres, serverArguments({ data: layout.data, port }), {
      ...spawnOptions(layout.user),
      stdio: ["ignore", log.fd, log.fd],
    });
    await once(child, "spawn");
    // Our process may end while the server lives: others may be using it.
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

/**
 * Stops the server of the folder, if there is one: clients are disconnected, everything is written down, the next start
 * needs no recovery. Does not sign in, so that it works when all connections are taken.
 *
 * @throws DATABASE_UNAVAILABLE when it does not even end the hard way
 */
export async function stopPostmaster(layout: Layout): Promise<void> {
  const file = await readPostmasterFile(layout);
  if (file === undefined || !(await isPostmaster(file.pid, layout))) return;
  const identity = identify(file.pid);
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    sendSignal(identity, signal);
    const ended = await waitUntil(() => (isAlive(identity) ? undefined : true), { timeoutMs: stopTimeoutMs });
    if (ended) return;
  }
  throw new SluiceError("DATABASE_UNAVAILABLE", {
    message: `Postgres (process ${file.pid}) of ${layout.home} does not stop`,
    hint: `See ${layout.logFile} for what it waits for.`,
  });
}

function sendSignal({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has just ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function startFailure(layout: Layout, what: string, logStart = 0): Promise<SluiceError> {
  const log = await readLogTail(layout.logFile, logStart);
  return new SluiceError("DATABASE_START_FAILED", {
    message: `${what}: ${log.at(-1) ?? "it wrote no log"}`,
    hint: `The details have the last lines of ${layout.logFile}.`,
    details: { folder: layout.home, log },
  });
}
