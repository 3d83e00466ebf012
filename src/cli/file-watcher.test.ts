import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileWatcher, type FileWatcher } from "./file-watcher.ts";
import { emptyFolder } from "./fixtures/project.ts";

let folder: string;
let watcher: FileWatcher;
beforeEach(async () => void (folder = await emptyFolder()));
afterEach(async () => {
  watcher.close();
  await rm(folder, { recursive: true });
});

describe("the file watcher", () => {
  it("tells of a file that is written, replaced, made or removed, and of no other", async () => {
    const [a, b, made] = ["a.ts", "b.ts", "made.ts"].map((name) => join(folder, name)) as [string, string, string];
    await Promise.all([writeFile(a, "1"), writeFile(b, "1")]);
    watcher = createFileWatcher([a, made]);
    watcher.add(b);
    const changeAfter = async (work: Promise<void>): Promise<string> => {
      const change = watcher.nextChange();
      await work;
      return change;
    };
    await writeFile(join(folder, "other.ts"), "1");
    expect(await changeAfter(writeFile(b, "2"))).toBe(b);
    await writeFile(join(folder, "draft"), "3");
    expect(await changeAfter(rename(join(folder, "draft"), a))).toBe(a);
    expect(await changeAfter(writeFile(made, "1"))).toBe(made);
    expect(await changeAfter(rm(a))).toBe(a);
  });
});
