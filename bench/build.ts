import { spawnSync } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The command as it is shipped. */
export const commandFile: string = `${root}dist/cli/main.js`;

/**
 * Builds the package's code, unless what was built is newer than all sources. The dashboard's pages are left as they are:
 * they are read from disk, whatever they hold.
 *
 * @throws Error when it does not build.
 */
export async function ensureBuilt(): Promise<void> {
  const built = await modifiedAt(commandFile);
  const sources = await readdir(`${root}src`, { recursive: true });
  const times = await Promise.all(sources.map((path) => modifiedAt(`${root}src/${path}`)));
  if (times.every((time) => time <= built)) return;
  process.stderr.write("building: what was built is older than the sources\n");
  const compiler = `${root}node_modules/typescript/bin/tsc`;
  const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the package does not build:\n${stdout.split("\n").slice(0, 5).join("\n")}`);
}

/** 0 for a file that is not there. */
async function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
