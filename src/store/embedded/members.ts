import { randomUUID } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/index.ts";
import { withGate } from "./gate.ts";
import type { Layout } from "./layout.ts";
import { readIfPresent, unlinkIfPresent, writeOwnedFile } from "./owned-files.ts";
import { identify, isAlive, parseIdentity, type ProcessIdentity } from "./process-identity.ts";
import { waitUntil } from "./wait-until.ts";

/*
 * Who uses the database: one file for each use, written and removed only inside the gate. A file whose process is gone
 * counts for nothing and is removed by the next one who looks. File names are never used twice, so removing the file
 * of a dead process cannot hit a living one.
 */

/** "owner": the one service of a folder. "guest": anybody else who works on the same database. */
export type Role = "owner" | "guest";

interface Member extends ProcessIdentity {
  readonly role: Role;
  /** See {@link folderId}. */
  readonly folder: string;
}

/** A service that is restarted begins while the killed or stopping one before it is still on its way out. */
const ownerLeavesWithinMs = 2_000;

/**
 * Enters the list of users and gives the file that stands for this use.
 *
 * @throws DATABASE_IN_USE when the role is "owner" and a living owner is there and stays
 */
export async function enter(layout: Layout, role: Role): Promise<string> {
  let owner: Member | undefined;
  const attempt = async (): Promise<string | undefined> => {
    const outcome = await tryEnter(layout, role);
    if (typeof outcome === "string") return outcome;
    owner = outcome;
    return undefined;
  };
  const file = await waitUntil(attempt, { timeoutMs: ownerLeavesWithinMs, everyMs: 50 });
  if (file === undefined) throw inUse(layout, owner);
  return file;
}

/** Our file, or the owner who is in the way. */
async function tryEnter(layout: Layout, role: Role): Promise<string | Member> {
  return await withGate(layout.gateFolder, async () => {
    const owner = (await livingMembers(layout)).find((member) => member.role === "owner");
    if (role === "owner" && owner !== undefined) return owner;
    const file = join(layout.membersFolder, `${process.pid}.${randomUUID()}`);
    const member: Member = { ...identify(process.pid), role, folder: await folderId(layout) };
    await writeOwnedFile(file, JSON.stringify(member));
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
    const member = parseMember(await readIfPresent(file));
    if (member?.folder === here && isAlive(member)) living.push(member);
    else await unlinkIfPresent(file);
  }
  return living;
}

function parseMember(text: string | undefined): Member | undefined {
  return parseIdentity(text) && (JSON.parse(text ?? "") as Member);
}

/** Tells a folder from a copy of it: the users of the original are not users of the copy. */
async function folderId(layout: Layout): Promise<string> {
  const { dev, ino } = await stat(layout.membersFolder, { bigint: true });
  return `${dev}:${ino}`;
}

function inUse(layout: Layout, owner: Member | undefined): SluiceError {
  const pid = owner?.pid ?? 0;
  return new SluiceError("DATABASE_IN_USE", {
    message: `the database in ${layout.home} already serves process ${pid}; a folder has one service`,
    hint: `Stop process ${pid}, or give this one another data folder. More processes on one database: sluice worker.`,
    details: { pid, folder: layout.home },
  });
}
