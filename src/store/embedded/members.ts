import { randomUUID } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/index.ts";
import { withGate } from "./gate.ts";
import type { Layout } from "./layout.ts";
import { readIfPresent, unlinkIfPresent, writeOwnedFile } from "./owned-files.ts";
import { identify, isAlive, parseIdentity } from "./process-identity.ts";

/*
 * Who uses the database: one file for each use, written and removed only inside the gate. A file whose process is gone
 * counts for nothing and is removed by the next one who looks. File names are never used twice, so removing the file
 * of a dead process cannot hit a living one.
 */

/** "owner": the one service of a folder. "guest": anybody else who works on the same database. */
export type Role = "owner" | "guest";

interface Member {
  readonly pid: number;
  readonly role: Role;
}

/**
 * Enters the list of users and gives the file that stands for this use.
 *
 * @throws DATABASE_IN_USE when the role is "owner" and a living owner is there
 */
export async function enter(layout: Layout, role: Role): Promise<string> {
  return await withGate(layout.gateFolder, async () => {
    const owner = (await livingMembers(layout)).find((member) => member.role === "owner");
    if (role === "owner" && owner !== undefined) throw inUse(layout, owner);
    const file = join(layout.membersFolder, `${process.pid}.${randomUUID()}`);
    await writeOwnedFile(file, JSON.stringify({ ...identify(process.pid), role, folder: await folderId(layout) }));
    return file;
  });
}

/** Leaves the list; when nobody is left, runs `lastOut` before anybody can enter again. */
export async function leave(layout: Layout, file: string, lastOut: () => Promise<void>): Promise<void> {
  await withGate(layout.gateFolder, async () => {
    await unlinkIfPresent(file);
    if ((await livingMembers(layout)).length === 0) await lastOut();
  });
}

async function livingMembers(layout: Layout): Promise<Member[]> {
  const here = await folderId(layout);
  const living: Member[] = [];
  for (const name of await readdir(layout.membersFolder)) {
    const file = join(layout.membersFolder, name);
    const text = await readIfPresent(file);
    const identity = parseIdentity(text);
    const { role, folder } = identity === undefined ? {} : (JSON.parse(text ?? "") as { role?: Role; folder?: string });
    if (identity !== undefined && role !== undefined && folder === here && isAlive(identity)) {
      living.push({ pid: identity.pid, role });
    } else await unlinkIfPresent(file);
  }
  return living;
}

/** Tells a folder from a copy of it: the users of the original are not users of the copy. */
async function folderId(layout: Layout): Promise<string> {
  const { dev, ino } = await stat(layout.membersFolder, { bigint: true });
  return `${dev}:${ino}`;
}

function inUse(layout: Layout, owner: Member): SluiceError {
  return new SluiceError("DATABASE_IN_USE", {
    message: `the database in ${layout.home} already serves process ${owner.pid}; a folder has one service`,
    hint: `Stop process ${owner.pid}, or give this one another data folder. More processes on one database: sluice worker.`,
    details: { pid: owner.pid, folder: layout.home },
  });
}
