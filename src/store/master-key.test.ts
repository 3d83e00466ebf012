import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openMasterKey } from "./master-key.ts";

let root: string;
let folders = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sluice-key-"));
});

afterAll(() => rm(root, { recursive: true }));

const newFolder = (): string => join(root, String((folders += 1)), ".sluice");

const key = randomBytes(32);

describe("SLUICE_KEY", () => {
  it.each(["base64", "base64url", "hex"] as const)("is taken in %s, and no file is made", async (encoding) => {
    const folder = newFolder();
    const environment = { SLUICE_KEY: ` ${key.toString(encoding)}\n` };
    expect(await openMasterKey({ environment, folder })).toEqual(key);
    await expect(stat(folder)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([
    "a password that somebody made up",
    randomBytes(16).toString("base64"),
    randomBytes(33).toString("hex"),
    `${"A".repeat(42)}!`,
  ])("is refused when it is no key, and is not told: %s", async (text) => {
    const opening = openMasterKey({ environment: { SLUICE_KEY: text }, folder: newFolder() });
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "KEY_INVALID", hint: expect.stringContaining("openssl rand -base64 32") });
    expect(JSON.stringify(error)).not.toContain(text);
  });
});

describe("the key file", () => {
  it("is made on first use, for its owner only, and used from then on", async () => {
    const folder = newFolder();
    const first = await openMasterKey({ environment: { SLUICE_KEY: "" }, folder });
    expect(first).toHaveLength(32);
    expect((await stat(join(folder, "key"))).mode & 0o777).toBe(0o600);
    expect(await openMasterKey({ environment: {}, folder })).toEqual(first);
    expect(
      await openMasterKey({ environment: { SLUICE_KEY: await readFile(join(folder, "key"), "utf8") }, folder }),
    ).toEqual(first);
  });

  it("is made once by however many that come at the same time", async () => {
    const folder = newFolder();
    const keys = await Promise.all(Array.from({ length: 20 }, () => openMasterKey({ environment: {}, folder })));
    expect(new Set(keys.map((one) => one.toString("hex"))).size).toBe(1);
    expect(await readdir(folder)).toEqual(["key"]);
  });

  it("is refused, and left as it is, when it holds something else", async () => {
    const folder = newFolder();
    await openMasterKey({ environment: {}, folder });
    await writeFile(join(folder, "key"), "");
    await expect(openMasterKey({ environment: {}, folder })).rejects.toMatchObject({ code: "KEY_INVALID" });
    expect(await readFile(join(folder, "key"), "utf8")).toBe("");
  });

  it("says so when it can be neither read nor made", async () => {
    const file = join(root, "file");
    await writeFile(file, "");
    const opening = openMasterKey({ environment: {}, folder: join(file, ".sluice") });
    await expect(opening).rejects.toMatchObject({ code: "KEY_INVALID", message: expect.stringContaining("ENOTDIR") });
  });
});
