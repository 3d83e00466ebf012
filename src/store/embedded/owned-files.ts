import { randomUUID } from "node:crypto";
import { chmod, chown, lchown, mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/*
 * A project that one person runs now as herself and now as root must not end up with files that only root can use.
 * What is made here belongs to whoever owns the folder around it.
 */

/** Whether this process may give files away. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Makes the folder, and those above it, with exactly that mode; what exists is left as it is. */
export async function makeOwnedFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeOwnedFolder(dirname(path), mode);
    return await makeOwnedFolder(path, mode);
  }
  // The mode of mkdir is cut by the umask.
  await chmod(path, mode);
  if (isRoot()) {
    const parent = await stat(dirname(path));
    await chown(path, parent.uid, parent.gid);
  }
}

/** Writes a new file under a name that nobody else uses, beside the given path, and gives that name. Not synced. */
export async function draftOwnedFile(path: string, text: string, mode = 0o644, synced = false): Promise<string> {
  const draft = `${path}.${randomUUID()}`;
  // "x" follows no symlink that the owner of the folder may have left there for root to walk into.
  const file = await open(draft, "wx", mode);
  try {
    await file.writeFile(text);
    if (isRoot()) {
      const parent = await stat(dirname(path));
      await file.chown(parent.uid, parent.gid);
    }
    if (synced) await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

/** Replaces the file as a whole: a reader, or a power cut, meets the old text or the new. */
export async function writeOwnedFile(path: string, text: string, mode = 0o644): Promise<void> {
  const draft = await draftOwnedFile(path, text, mode, true);
  await rename(draft, path);
}

/** Makes a new name in a folder survive a power cut. Windows has no such thing. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The text of a file, `undefined` when there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes the file; that it is gone already is as good. */
export async function unlinkIfPresent(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Gives a folder and everything below it to that user; symlinks themselves, not what they point to. */
export async function giveAway(folder: string, uid: number, gid: number): Promise<void> {
  const inside = await readdir(folder, { recursive: true });
  await Promise.all([folder, ...inside.map((name) => join(folder, name))].map((path) => lchown(path, uid, gid)));
}
