import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isRoot } from "./owned-files.ts";

/** The user that Postgres runs as. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** What most systems call "nobody", for those that list no users at all. */
const nobody: SystemUser = { uid: 65_534, gid: 65_534 };

/**
 * The user for Postgres, which refuses to run as root; `undefined` when this process is not root and simply runs it.
 * Whoever owns the existing data (else the folder) keeps it; what is root's own goes to "postgres", else "nobody".
 *
 * @param owners of the data and of the folder around it, as far as they exist
 */
export async function chooseSystemUser(owners: readonly SystemUser[]): Promise<SystemUser | undefined> {
  if (!isRoot()) return undefined;
  const owner = owners.find(({ uid }) => uid !== 0);
  if (owner !== undefined) return { uid: owner.uid, gid: owner.gid };
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  return findUser(users, "postgres") ?? findUser(users, "nobody") ?? nobody;
}

/** Looks a name up in the text of a passwd file. */
export function findUser(passwd: string, name: string): SystemUser | undefined {
  const fields = passwd
    .split("\n")
    .find((line) => line.startsWith(`${name}:`))
    ?.split(":");
  const [uid, gid] = [Number(fields?.[2] || Number.NaN), Number(fields?.[3] || Number.NaN)];
  return Number.isInteger(uid) && Number.isInteger(gid) && uid !== 0 ? { uid, gid } : undefined;
}

/** Whether the mode bits let that user walk into the folder from the root of the file system. Blind to ACLs. */
export async function canEnter(folder: string, user: SystemUser): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const { uid, gid, mode } = await stat(path);
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
    if (((mode >> shift) & 0o1) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
