/*
 * A lock between processes that survives kill -9 of its holder and needs nothing but files.
 *
 * The folder holds numbered claims `1`, `2`, ... and only the highest counts:
 *
 *   free   --link()-->  held       a new highest number is linked into place, with its holder already written in it;
 *                                  link() fails when the number exists, so exactly one process gets each number
 *   held   --truncate-> free       released: the claim is emptied (needs no disk space), never removed
 *   held   --death-->   free       the holder's pid is gone, or belongs to a process that began at another time
 *
 * Removing a dead holder's claim would be a race: a slow process could remove the claim of the one after it. So a claim
 * is only ever superseded. Old numbers are pruned by later holders; a slow process that still manages to link a pruned
 * number sees the higher one right after and takes its own back.
 */
import { link, readdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/index.ts";
import { draftOwnedFile, readIfPresent, unlinkIfPresent } from "./owned-files.ts";
import { identify, isAlive, parseIdentity, type ProcessIdentity } from "./process-identity.ts";
import { waitUntil } from "./wait-until.ts";

/** Long enough for an initdb on a slow, busy machine. */
const gateTimeoutMs = 120_000;

/** So many superseded claims stay, so that a listing that straddles takeovers still meets one of them. */
const keptClaims = 8;

/**
 * Runs the work while no other process (and no other call of this one) is inside the same gate.
 *
 * @param folder exists already, and holds nothing else
 * @throws DATABASE_IN_USE when a living process keeps the gate closed for two minutes
 */
export async function withGate<T>(folder: string, work: () => Promise<T>): Promise<T> {
  let holder: ProcessIdentity | undefined;
  const enter = async (): Promise<string | undefined> => {
    const attempt = await tryEnter(folder);
    if (typeof attempt === "string") return attempt;
    holder = attempt;
    return undefined;
  };
  const claim = await waitUntil(enter, { timeoutMs: gateTimeoutMs });
  if (claim === undefined) throw gateStuck(folder, holder);
  try {
    return await work();
  } finally {
    await truncate(claim);
  }
}

/** The path of our claim when we are in; else who is in, or `undefined` when somebody was faster just now. */
async function tryEnter(folder: string): Promise<string | ProcessIdentity | undefined> {
  const highest = Math.max(0, ...(await claimNumbers(folder)));
  const holder = parseIdentity(await readIfPresent(join(folder, String(highest))));
  if (holder !== undefined && isAlive(holder)) return holder;
  const mine = join(folder, String(highest + 1));
  if (!(await linkClaim(mine))) return undefined;
  if (Math.max(...(await claimNumbers(folder))) !== highest + 1) {
    await unlinkIfPresent(mine);
    return undefined;
  }
  await prune(folder, highest + 1 - keptClaims);
  return mine;
}

async function claimNumbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function linkClaim(claim: string): Promise<boolean> {
  const draft = await draftOwnedFile(claim, JSON.stringify(identify(process.pid)));
  try {
    await link(draft, claim);
    return true;
  } catch (error) {
    // EEXIST: another one got the number. ENOENT: we were so slow that our draft was pruned.
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST" || code === "ENOENT") return false;
    throw error;
  } finally {
    await unlinkIfPresent(draft);
  }
}

/** Removes claims, and drafts of processes that died while writing them, up to that number. */
async function prune(folder: string, upTo: number): Promise<void> {
  const old = (await readdir(folder)).filter((name) => Number.parseInt(name, 10) <= upTo);
  await Promise.all(old.map((name) => unlinkIfPresent(join(folder, name))));
}

function gateStuck(folder: string, holder: ProcessIdentity | undefined): SluiceError {
  return new SluiceError("DATABASE_IN_USE", {
    message: `process ${holder?.pid ?? "unknown"} has been starting or stopping the database of ${folder} for ${gateTimeoutMs / 1000} s`,
    hint: "See what that process does; when it hangs, end it and start again.",
  });
}
