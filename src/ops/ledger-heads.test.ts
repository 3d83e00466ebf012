import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Log, type LogFields, SluiceError } from "../core/index.ts";
import { keepLedgerHeads, type KeptHead, readLedgerHeads } from "./ledger-heads.ts";

let folder: string;
let lines: [event: string, fields: LogFields | undefined][];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-heads-"));
  lines = [];
});

afterEach(() => rm(folder, { recursive: true }));

const note = (event: string, fields?: LogFields): void => void lines.push([event, fields]);
const log: Log = { debug: note, info: note, warn: note, error: note };

const head = (seq: number, workspace = "default"): KeptHead => ({
  workspace,
  seq,
  hash: `hash of ${workspace} ${seq}`,
  at: "2026-11-24T09:12:00.000Z",
});

/** Keeps heads once, as an application that runs for a short time does. */
const keepOnce = (...heads: KeptHead[]) => keepLedgerHeads({ folder, read: async () => heads, log }).close();

describe("kept heads of ledgers", () => {
  it("are written when it closes, and read again by whoever verifies", async () => {
    await keepOnce(head(3), head(1, "other"));
    await keepOnce(head(5));
    expect(await readLedgerHeads(folder)).toEqual([head(3), head(1, "other"), head(5)]);
    expect(lines[2]).toEqual(["ledger.head", { workspace: "default", seq: 5, hash: "hash of default 5" }]);
  });

  it("are written again and again, when they have moved", async () => {
    let seq = 1;
    const keeper = keepLedgerHeads({ folder, read: async () => [head(seq), head(7, "quiet")], log, everyMs: 10 });
    await expect.poll(() => readLedgerHeads(folder)).toEqual([head(1), head(7, "quiet")]);
    seq = 2;
    await expect.poll(() => readLedgerHeads(folder)).toEqual([head(1), head(7, "quiet"), head(2)]);
    await keeper.close();
    expect(await readLedgerHeads(folder)).toHaveLength(3);
  });

  it("leave a word in the log when they cannot be kept, and are tried again", async () => {
    let isAway = true;
    const read = async () => {
      if (isAway) throw new SluiceError("DATABASE_UNAVAILABLE", { message: "away" });
      return [head(1)];
    };
    const keeper = keepLedgerHeads({ folder, read, log, everyMs: 10 });
    await expect.poll(() => lines[0]).toEqual(["ledger.head_not_kept", { code: "DATABASE_UNAVAILABLE" }]);
    isAway = false;
    await keeper.close();
    expect(await readLedgerHeads(folder)).toEqual([head(1)]);
  });

  it("are kept in a folder that is not there yet", async () => {
    const missing = join(folder, "data");
    await keepLedgerHeads({ folder: missing, read: async () => [head(1)], log }).close();
    expect(await readLedgerHeads(missing)).toEqual([head(1)]);
  });

  it("are none where none were ever kept", async () => {
    expect(await readLedgerHeads(folder)).toEqual([]);
  });

  it("survive a line that was cut off, which a person must take out", async () => {
    await keepOnce(head(1));
    await appendFile(join(folder, "ledger-heads.jsonl"), '{"workspace":"def');
    expect(await readLedgerHeads(folder)).toEqual([head(1)]);
    await keepOnce(head(2));
    await expect(readLedgerHeads(folder)).rejects.toMatchObject({
      code: "LEDGER_BROKEN", message: expect.stringContaining("line 2 of") as unknown,
    }); // oxfmt-ignore
    const file = join(folder, "ledger-heads.jsonl");
    const whole = (await readFile(file, "utf8")).split("\n").toSpliced(1, 1);
    await writeFile(file, whole.join("\n"));
    expect(await readLedgerHeads(folder)).toEqual([head(1), head(2)]);
  });

  it.each(["{}", "7", '{"workspace":"default","seq":"1","hash":"x","at":"x"}'])("are not: %s", async (line) => {
    await writeFile(join(folder, "ledger-heads.jsonl"), `${line}\n`);
    await expect(readLedgerHeads(folder)).rejects.toMatchObject({ code: "LEDGER_BROKEN" });
  });
});
