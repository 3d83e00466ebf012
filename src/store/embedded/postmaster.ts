import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { SluiceError } from "../../core/index.ts";
import { askServer } from "./ask-server.ts";
import type { Binaries } from "./binaries.ts";
import type { Layout } from "./layout.ts";
import { readIfPresent } from "./owned-files.ts";
import { choosePort, forgetPort } from "./ports.ts";
import { commandLineOf, identify, isAlive, type ProcessIdentity } from "./process-identity.ts";
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

/** What a server writes about itself into its data folder. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly isReady: boolean;
}

/** A crash recovery may have a gigabyte of log to go through. */
const startTimeoutMs = 120_000;

/** How long what is left of a killed server, or of other programs on its port, may hinder the next start. */
const hindranceTimeoutMs = 15_000;

/** How long a process may be in the middle of dying. */
const dyingTimeoutMs = 10_000;

/** How long a stop may take before it is made harder. */
const stopTimeoutMs = 20_000;

/**
 * Reads the text of `postmaster.pid`; `undefined` while it is not complete.
 *
 * @see https://www.postgresql.org/docs/18/storage-file-layout.html and src/include/utils/pidfile.h of Postgres
 */
export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  const [pid, port] = [Number(lines[0] || Number.NaN), Number(lines[3] || Number.NaN)];
  if (!Number.isInteger(pid) || !Number.isInteger(port) || pid <= 0 || port <= 0) return undefined;
  return { pid, port, isReady: lines[7] === "ready" };
}

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

async function readPostmasterFile({ data }: Layout): Promise<PostmasterFile | undefined> {
  return parsePostmasterFile((await readIfPresent(pidFile(data))) ?? "");
}

const pidFile = (data: string): string => join(data, "postmaster.pid");

/** Asks the server at that port which data it serves; `undefined` when it does not answer, or serves other data. */
async function recognise({ pid, port }: PostmasterFile, layout: Layout): Promise<Postmaster | undefined> {
  const identity = identify(pid);
  const answer = await askServer(layout.passwordFile, port);
  if (answer === undefined || !(await isSameFolder(answer.data, layout.data))) return undefined;
  return { identity, port, version: answer.version };
}

/** Whether that process is the server of this folder, by its command line. Waits while the process is dying. */
async function isPostmaster(pid: number, { data }: Layout): Promise<boolean> {
  const decide = async (): Promise<boolean | undefined> => {
    if (!isAlive({ pid, startedAt: null })) return false;
    const [program, ...args] = commandLineOf(pid) ?? [];
    if (process.platform === "win32") return true;
    // The memory of a killed process is gone before the process is.
    if (program === undefined) return undefined;
    if (process.platform !== "linux") return program.includes(`-D ${data}`);
    const folder = args[args.indexOf("-D") + 1];
    return basename(program) === "postgres" && folder !== undefined && (await isSameFolder(folder, data));
  };
  // A kernel thread has no command line ever; Postgres checks its shared memory once more before it starts.
  return (await waitUntil(decide, { timeoutMs: dyingTimeoutMs })) ?? false;
}

/** By inode: a data folder may be reached by several paths, and a copy of it is another one. */
async function isSameFolder(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([stat(one, { bigint: true }), stat(other, { bigint: true })]);
    return a.dev === b.dev && a.ino === b.ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
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
  return log.includes("pre-existing shared memory block");
}

async function tryStart(layout: Layout, binaries: Binaries): Promise<Postmaster | SluiceError> {
  await disownPidFile(layout);
  const port = await choosePort(layout.stateFile);
  const logStart = await sizeOf(layout.logFile);
  const child = await spawnPostgres(layout, binaries, port);
  const ready = await waitUntil(
    async () => {
      if (child.exitCode !== null || child.signalCode !== null) return "ended";
      const file = await readPostmasterFile(layout);
      return file?.pid === child.pid && file?.isReady ? await recognise(file, layout) : undefined;
    },
    { timeoutMs: startTimeoutMs },
  );
  if (ready !== undefined && ready !== "ended") return ready;
  child.kill("SIGQUIT");
  return await startFailure(
    layout,
    ready === "ended" ? "Postgres ended while starting" : "Postgres did not get ready",
    logStart,
  );
}

/**
 * Postgres refuses to start while the pid in `postmaster.pid` exists, be it a zombie or another program by now. When the
 * pid is that of its own parent it goes on, after having checked that nobody is attached to the old shared memory. We
 * know that the pid is no server of this folder, so we write our own; removing the file would remove that check too.
 *
 * @see CreateLockFile in src/backend/utils/init/miscinit.c of Postgres
 */
async function disownPidFile({ data }: Layout): Promise<void> {
  const text = await readIfPresent(pidFile(data));
  if (text === undefined || process.platform === "win32") return;
  const disowned = text.replace(/^\d+/, String(process.pid));
  // In place: the file stays the property of the user of Postgres.
  const file = await open(pidFile(data), "r+");
  try {
    await file.write(disowned, 0);
    await file.truncate(Buffer.byteLength(disowned));
  } finally {
    await file.close();
  }
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
