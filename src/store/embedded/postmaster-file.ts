import { open, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Layout } from "./layout.ts";
import { readIfPresent, unlinkIfPresent } from "./owned-files.ts";
import { commandLineOf, isAlive } from "./process-identity.ts";
import { waitUntil } from "./wait-until.ts";

/** What a server writes about itself into its data folder. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly isReady: boolean;
}

/** How long a process may be in the middle of dying. */
const dyingTimeoutMs = 10_000;

/** How long `postmaster.pid` may be empty, which it is for an instant when it is made. */
const emptyTimeoutMs = 1_000;

const pathOf = ({ data }: Layout): string => join(data, "postmaster.pid");

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

/** What `postmaster.pid` says now; `undefined` when there is none or it is not complete. */
export async function readPostmasterFile(layout: Layout): Promise<PostmasterFile | undefined> {
  return parsePostmasterFile((await readIfPresent(pathOf(layout))) ?? "");
}

/** Whether that process is the server of this folder, by its command line. Waits while the process is dying. */
export async function isPostmaster(pid: number, { data }: Layout): Promise<boolean> {
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
export async function isSameFolder(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([stat(one, { bigint: true }), stat(other, { bigint: true })]);
    return a.dev === b.dev && a.ino === b.ino;
  } catch (error) {
    // A path that is not there, or not for us, is not our folder.
    if (["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

/**
 * Makes Postgres pass over the `postmaster.pid` of a server that is gone.
 *
 * Postgres refuses to start while the pid in it exists, be it a zombie or another program by now. When the pid is that
 * of its own parent it goes on, after having checked that nobody is attached to the old shared memory. So we write our
 * own pid; removing the file would remove that check too.
 *
 * @see CreateLockFile in src/backend/utils/init/miscinit.c of Postgres
 */
export async function disownPostmasterFile(layout: Layout): Promise<void> {
  const text = await readIfPresent(pathOf(layout));
  if (text === undefined || process.platform === "win32") return;
  if (text === "") return await removeEmptyFile(pathOf(layout));
  const disowned = text.replace(/^\d+/, String(process.pid));
  // In place: the file stays the property of the user of Postgres.
  const file = await open(pathOf(layout), "r+");
  try {
    await file.write(disowned, 0);
    await file.truncate(Buffer.byteLength(disowned));
  } finally {
    await file.close();
  }
}

/** A power cut or a full disk leaves an empty file, which Postgres would ask a person to remove. */
async function removeEmptyFile(path: string): Promise<void> {
  const isFilled = async (): Promise<true | undefined> => ((await readIfPresent(path)) ? true : undefined);
  if ((await waitUntil(isFilled, { timeoutMs: emptyTimeoutMs })) === undefined) await unlinkIfPresent(path);
}
