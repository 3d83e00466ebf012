import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";
import { boundLog, openLog, readLogTail, sizeOf } from "./server-log.ts";

const fiveMegabytes = 5 * 1024 * 1024;

test("a log that a running server fills is cut, and the server goes on writing at its new end", async () => {
  const path = join(await temporaryFolder(), "postgres.log");
  const log = await openLog(path);
  await log.write(Buffer.alloc(fiveMegabytes, "x"));
  await boundLog(path);
  await log.write("after\n");
  await log.close();
  expect(await readFile(path, "utf8")).toBe("after\n");
  expect(await sizeOf(`${path}.1`)).toBe(fiveMegabytes);
});

test("a grown log of earlier starts is put aside, a small one is continued", async () => {
  const path = join(await temporaryFolder(), "postgres.log");
  await writeFile(path, "first start\n");
  await (await openLog(path)).close();
  expect(await sizeOf(path)).toBe(12);
  await writeFile(path, Buffer.alloc(fiveMegabytes, "x"));
  await (await openLog(path)).close();
  expect(await sizeOf(path)).toBe(0);
});

test("the tail begins where the start began", async () => {
  const path = join(await temporaryFolder(), "postgres.log");
  await writeFile(path, "earlier\nnow 1\nnow 2\n");
  expect(await readLogTail(path, "earlier\n".length)).toEqual(["now 1", "now 2"]);
});
