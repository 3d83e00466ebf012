import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emptyFolder } from "./fixtures/project.ts";
import { runCli } from "./fixtures/run-cli.ts";
import { loadConfig } from "./load-config.ts";

const made = [
  "package.json",
  "tsconfig.json",
  ".gitignore",
  "sluice.config.ts",
  "connections.ts",
  "lead-routing/flow.ts",
  "lead-routing/samples.ts",
];

let folder: string;
beforeEach(async () => void (folder = await emptyFolder()));
afterEach(() => rm(folder, { recursive: true }));

describe("sluice init", () => {
  it("makes a project whose configuration loads", async () => {
    const { code, out } = await runCli(["init", "my shop", "--json"], { in: folder });
    const project = join(folder, "my shop");
    expect({ code, ...(JSON.parse(out) as object) }).toEqual({ code: 0, folder: project, made });
    expect(JSON.parse(await readFile(join(project, "package.json"), "utf8"))).toMatchObject({
      name: "my-shop",
      type: "module",
      scripts: { dev: "sluice dev" },
    });
    await mkdir(join(project, "node_modules"));
    await symlink(fileURLToPath(new URL("../../", import.meta.url)), join(project, "node_modules/sluice"), "dir");
    const config = await loadConfig(join(project, "sluice.config.ts"));
    expect(config.flows.map((flow) => flow.name)).toEqual(["lead-routing"]);
  });

  it("says what to do next, and changes nothing the second time", async () => {
    expect((await runCli(["init", "shop"], { in: folder })).out).toMatch(
      /Next:\n {2}cd shop\n {2}npm install\n {2}npm run dev/,
    );
    const again = await runCli(["init", "shop"], { in: folder });
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining("Everything is there already") as unknown });
  });

  it("depends on the checkout that it was made from, as long as Sluice was not installed", async () => {
    await runCli(["init", "shop"], { in: folder });
    const manifest = JSON.parse(await readFile(join(folder, "shop", "package.json"), "utf8")) as {
      dependencies: { sluice: string };
    };
    const { sluice } = manifest.dependencies;
    expect(sluice).toMatch(/^file:/);
    const checkout = JSON.parse(
      await readFile(join(folder, "shop", sluice.slice("file:".length), "package.json"), "utf8"),
    ) as { name: string };
    expect(checkout.name).toBe("sluice");
  });

  it("overwrites nothing: another file of the same name is named, and no file is made", async () => {
    await writeFile(join(folder, "connections.ts"), "mine\n");
    const { code, err } = await runCli(["init"], { in: folder });
    expect(code).toBe(1);
    expect(err).toContain(`error CONFIG_INVALID: ${join(folder, "connections.ts")} is there already`);
    expect(await readdir(folder)).toEqual(["connections.ts"]);
  });

  it("goes along with the package.json of a project that has Sluice installed, and only with such a one", async () => {
    const manifest = join(folder, "package.json");
    await writeFile(manifest, JSON.stringify({ type: "commonjs", dependencies: { sluice: "^0.1.0" } }));
    const refused = await runCli(["init"], { in: folder });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("npm pkg set type=module");
    await writeFile(manifest, JSON.stringify({ type: "module", dependencies: { sluice: "^0.1.0" } }));
    const { code, out } = await runCli(["init", "--json"], { in: folder });
    expect({ code, made: (JSON.parse(out) as { made: string[] }).made }).toEqual({ code: 0, made: made.slice(1) });
  });

  it("says so when a package.json cannot be read", async () => {
    await writeFile(join(folder, "package.json"), "{ broken");
    const { code, err } = await runCli(["init"], { in: folder });
    expect(code).toBe(1);
    expect(err).toContain(`error CONFIG_INVALID: ${join(folder, "package.json")}`);
  });
});
