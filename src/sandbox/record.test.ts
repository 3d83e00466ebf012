import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxCall } from "./exchange.ts";
import { CallRecord, readCalls } from "./record.ts";

let root: string;
let folders = 0;
const newFolder = () => join(root, String((folders += 1)));

const callOf = (number: number, text = "x"): SandboxCall => ({
  number,
  at: "2026-01-01T00:00:00.000Z",
  system: "slack",
  method: "POST",
  path: "/slack/api/chat.postMessage",
  headers: {},
  body: { text },
  idempotencyKey: null,
  status: 200,
  response: { ok: true },
  fault: null,
  effect: null,
});

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sandbox-record-"));
});
afterAll(() => rm(root, { recursive: true }));

describe("CallRecord", () => {
  it("gives back what was appended, in order, also when many append at once", async () => {
    const folder = newFolder();
    const { record, calls } = await CallRecord.open(folder);
    expect(calls).toEqual([]);
    const written = Array.from({ length: 200 }, (_, index) => callOf(index + 1));
    await Promise.all(written.map((call) => record.append(call)));
    expect(await readCalls(folder)).toEqual(written);
    await record.close();
  });

  it("has a call on disk before append resolves", async () => {
    const folder = newFolder();
    const { record } = await CallRecord.open(folder);
    for (const number of [1, 2, 3]) {
      await record.append(callOf(number));
      expect((await readFile(join(folder, "calls.jsonl"), "utf8")).split("\n")).toHaveLength(number + 1);
    }
    await record.close();
  });

  it("loses only the call that was being written, wherever the file ends, and goes on after it", async () => {
    const folder = newFolder();
    const written = [callOf(1, "plain"), callOf(2, "ünïcode 🌊"), callOf(3, "new\nline")];
    const { record } = await CallRecord.open(folder);
    for (const call of written) void record.append(call);
    await record.close();
    const bytes = await readFile(join(folder, "calls.jsonl"));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length }), async (length) => {
        await writeFile(join(folder, "calls.jsonl"), bytes);
        await truncate(join(folder, "calls.jsonl"), length);
        const whole = bytes.subarray(0, length).toString("latin1").split("\n").length - 1;
        expect(await readCalls(folder)).toEqual(written.slice(0, whole));
        const again = await CallRecord.open(folder);
        expect(again.calls).toEqual(written.slice(0, whole));
        await again.record.append(callOf(9));
        await again.record.close();
        expect(await readCalls(folder)).toEqual([...written.slice(0, whole), callOf(9)]);
      }),
      { numRuns: 60 },
    );
  });

  it("writes without waiting when it is buffered, and nothing when it is off", async () => {
    const buffered = newFolder();
    const { record } = await CallRecord.open(buffered, "buffered");
    for (const number of [1, 2, 3]) await record.append(callOf(number));
    await record.close();
    expect(await readCalls(buffered)).toEqual([1, 2, 3].map((number) => callOf(number)));
    const off = await CallRecord.open(buffered, "none");
    expect(off.calls).toHaveLength(3);
    await off.record.append(callOf(4));
    await off.record.close();
    expect(await readCalls(buffered)).toHaveLength(3);
  });

  it("refuses a record with a broken line in the middle, and names the line", async () => {
    const folder = newFolder();
    const { record } = await CallRecord.open(folder);
    await record.append(callOf(1));
    await record.close();
    await appendFile(join(folder, "calls.jsonl"), "{broken\n");
    await expect(CallRecord.open(folder)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("line 2 ") as string,
    });
  });

  it.skipIf(process.platform === "win32")("lets only its owner read what people wrote", async () => {
    const folder = newFolder();
    await (await CallRecord.open(folder)).record.close();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, "calls.jsonl"))).mode & 0o777).toBe(0o600);
  });
});
