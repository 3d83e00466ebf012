import { chmod, cp, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";
import { prepareLayout } from "./layout.ts";
import { isRoot } from "./owned-files.ts";

test("everything lies in the asked folder when Postgres can enter it", async () => {
  const folder = join(await temporaryFolder(), "project", ".sluice", "postgres");
  const layout = await prepareLayout(folder);
  expect(layout).toMatchObject({ home: folder, isRelocated: false, data: join(folder, "data") });
  expect((await stat(layout.membersFolder)).mode & 0o777).toBe(0o700);
  // Not open to be listed by others.
  expect((await stat(folder)).mode & 0o044).toBe(0);
});

describe.skipIf(!isRoot())("as root, below a folder that the user of Postgres cannot enter", () => {
  test("the data lies elsewhere, in the same place each time", async () => {
    const { asked, system } = await closedProject();
    const layouts = await Promise.all([prepareLayout(asked, system), prepareLayout(asked, system)]);
    expect(layouts[0]).toMatchObject({ isRelocated: true, home: expect.stringMatching(/system\/[0-9a-f]{16}$/) });
    expect(layouts[1]).toEqual(layouts[0]);
    expect(await prepareLayout(asked, system)).toEqual(layouts[0]);
  });

  test("a moved project keeps its data, a copied one and a new one at the old path get their own", async () => {
    const { outer, asked, system } = await closedProject();
    const first = await prepareLayout(asked, system);
    const copied = join(outer, "home", "copy");
    await cp(asked, copied, { recursive: true });
    expect((await prepareLayout(copied, system)).home).not.toBe(first.home);
    const moved = join(outer, "home", "moved");
    await rename(asked, moved);
    expect((await prepareLayout(moved, system)).home).toBe(first.home);
    expect((await prepareLayout(asked, system)).home).not.toBe(first.home);
  });

  test("data that has vanished is an error and no new beginning", async () => {
    const { asked, system } = await closedProject();
    const { home } = await prepareLayout(asked, system);
    await rm(home, { recursive: true });
    await expect(prepareLayout(asked, system)).rejects.toMatchObject({ code: "DATABASE_FOLDER_UNREACHABLE" });
    expect(await readFile(join(asked, "location.json"), "utf8")).toContain(home);
  });

  test("data that was made in a folder closed since then is not left behind silently", async () => {
    const { outer, system } = await closedProject();
    const asked = join(outer, "open", "postgres");
    const { data } = await prepareLayout(asked, system);
    await mkdir(data);
    await chmod(join(outer, "open"), 0o700);
    await expect(prepareLayout(asked, system)).rejects.toMatchObject({
      code: "DATABASE_FOLDER_UNREACHABLE",
      hint: expect.stringContaining("chmod o+x"),
    });
  });
});

async function closedProject(): Promise<{ readonly asked: string; readonly system: string; readonly outer: string }> {
  const outer = await temporaryFolder();
  await mkdir(join(outer, "home"), { mode: 0o700 });
  return { outer, asked: join(outer, "home", "postgres"), system: join(outer, "system") };
}
