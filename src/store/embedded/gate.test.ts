import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";
import { withGate } from "./gate.ts";
import { identify } from "./process-identity.ts";

test("lets one at a time in, and everybody in the end", async () => {
  const folder = await temporaryFolder();
  let inside = 0;
  let most = 0;
  const visit = async (): Promise<number> =>
    await withGate(folder, async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return --inside;
    });
  const results = await Promise.all(Array.from({ length: 20 }, visit));
  expect(results).toEqual(Array(20).fill(0));
  expect(most).toBe(1);
});

test("opens again after the work has failed, and passes the failure on", async () => {
  const folder = await temporaryFolder();
  await expect(withGate(folder, () => Promise.reject(new Error("no luck")))).rejects.toThrow("no luck");
  expect(await withGate(folder, async () => "in")).toBe("in");
});

test("passes a claim of a dead process, of an earlier process with the same pid, and a torn one", async () => {
  const self = identify(process.pid);
  const claims = [
    JSON.stringify({ pid: 2 ** 22 + 1, startedAt: null }),
    JSON.stringify({ ...self, startedAt: "in another life" }),
    "\0\0\0",
  ];
  for (const claim of claims) {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "7"), claim);
    expect(await withGate(folder, async () => await readdir(folder))).toEqual(["7", "8"]);
  }
});

test("keeps waiting while the holder lives", async () => {
  const folder = await temporaryFolder();
  const claim = join(folder, "3");
  await writeFile(claim, JSON.stringify(identify(process.ppid)));
  let isIn = false;
  const waiting = withGate(folder, async () => (isIn = true));
  await new Promise((resolve) => setTimeout(resolve, 80));
  expect(isIn).toBe(false);
  await writeFile(claim, "");
  expect(await waiting).toBe(true);
});

test("does not grow with use", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "1.left-by-a-killed-process"), "{}");
  for (let visit = 0; visit < 30; visit++) await withGate(folder, async () => undefined);
  expect((await readdir(folder)).length).toBeLessThanOrEqual(8);
});
