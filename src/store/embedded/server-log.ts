import { constants } from "node:fs";
import { copyFile, open, readFile, rename, stat, truncate, type FileHandle } from "node:fs/promises";
import { isRoot } from "./owned-files.ts";
import { dirname } from "node:path";

/** With one older file beside it, the log takes at most about twice this. */
const maxLogBytes = 4 * 1024 * 1024;

/** Opens the log for a server about to start; the log of earlier starts is put aside when it has grown. */
export async function openLog(path: string): Promise<FileHandle> {
  if ((await sizeOf(path)) > maxLogBytes) await rename(path, `${path}.1`);
  // Appending, so that the file can be cut while the server writes. No symlink, which root would follow.
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
  // O_NOFOLLOW is not defined on Windows.
  const log = await open(path, O_APPEND | O_CREAT | O_WRONLY | (O_NOFOLLOW ?? 0), 0o600);
  if (isRoot()) {
    const folder = await stat(dirname(path));
    await log.chown(folder.uid, folder.gid);
  }
  return log;
}

/** Cuts a log that a running server has filled; the older part is kept beside it. */
export async function boundLog(path: string): Promise<void> {
  if ((await sizeOf(path)) <= maxLogBytes) return;
  await copyFile(path, `${path}.1`);
  await truncate(path);
}

/** The last lines that were written after that position. They hold no statement and no value, see settings.ts. */
export async function readLogTail(path: string, fromBytes: number): Promise<string[]> {
  if ((await sizeOf(path)) === 0) return [];
  const text = (await readFile(path)).subarray(fromBytes).toString("utf8").trim();
  return text === "" ? [] : text.split("\n").slice(-10);
}

/** 0 when there is no log yet. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
