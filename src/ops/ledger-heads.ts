import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRecord, type Log, SluiceError } from "../core/index.ts";
import type { LedgerHead } from "../store/index.ts";

/** Where a ledger ended, as it is kept. */
export type KeptHead = LedgerHead;

/** What {@link keepLedgerHeads} takes. */
export interface LedgerHeadOptions {
  /** Where the file is; best on another disk than the database. */
  readonly folder: string;
  /** Gives where the ledgers end now. */
  readonly read: () => Promise<readonly KeptHead[]>;
  readonly log: Log;
  /** Default: one hour. */
  readonly everyMs?: number;
}

const hourMs = 3_600_000;
const fileOf = (folder: string): string => join(folder, "ledger-heads.jsonl");

/**
 * Keeps the heads of all ledgers outside of the database, every hour and when it closes: a line in `ledger-heads.jsonl`, on
 * disk (fsync), and a line `ledger.head` in the log. Whoever rewrites the end of a ledger in the database must find all of
 * these as well. Heads that have not moved since are left out. What cannot be kept is logged, and tried again in an hour.
 */
export function keepLedgerHeads(options: LedgerHeadOptions): { close(): Promise<void> } {
  const { folder, read, log, everyMs = hourMs } = options;
  const kept = new Map<string, string>();

  async function keep(): Promise<void> {
    try {
      const moved = (await read()).filter(({ workspace, hash }) => kept.get(workspace) !== hash);
      if (moved.length === 0) return;
      // With a database of somebody's own, nothing else may have needed the folder yet.
      await mkdir(folder, { recursive: true });
      await append(fileOf(folder), moved);
      for (const { workspace, seq, hash } of moved) {
        kept.set(workspace, hash);
        log.info("ledger.head", { workspace, seq, hash });
      }
    } catch (thrown) {
      log.error("ledger.head_not_kept", { code: codeOf(thrown) });
    }
  }
  let keeping: Promise<void> = Promise.resolve();
  const next = (): Promise<void> => (keeping = keeping.then(keep));
  const timer = setInterval(() => void next(), everyMs).unref();
  return {
    close() {
      clearInterval(timer);
      return next();
    },
  };
}

/** Of the store, such as DATABASE_UNAVAILABLE, or of the file system, such as ENOSPC. */
function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "INTERNAL";
}

async function append(file: string, heads: readonly KeptHead[]): Promise<void> {
  const handle = await open(file, "a+", 0o600);
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(size - 1, 0));
    // A line that was cut off when the machine stopped must not spoil this one.
    const isWhole = size === 0 || buffer.toString() === "\n";
    await handle.write(`${isWhole ? "" : "\n"}${heads.map((head) => `${JSON.stringify(head)}\n`).join("")}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The heads that were kept in a folder, the oldest first; none when there is no file. A last line that was cut off is left out.
 *
 * @throws LEDGER_BROKEN when a line is no head.
 */
export async function readLedgerHeads(folder: string): Promise<KeptHead[]> {
  const text = await readFile(fileOf(folder), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.flatMap((line, at) => (line === "" ? [] : [parseHead(line, `line ${at + 1} of ${fileOf(folder)}`)]));
}

function parseHead(line: string, place: string): KeptHead {
  try {
    const head: unknown = JSON.parse(line);
    if (isHead(head)) return head;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  throw new SluiceError("LEDGER_BROKEN", {
    message: `${place} is not where a ledger ended, expected workspace, seq, hash and at`,
    hint: "Take the line out if the machine stopped while it was written. Else somebody changed the file: look for copies, such as the lines ledger.head of the log.",
  });
}

function isHead(value: unknown): value is KeptHead {
  if (!isRecord(value)) return false;
  const { workspace, seq, hash, at } = value;
  return Number.isSafeInteger(seq) && [workspace, hash, at].every((part) => typeof part === "string");
}
