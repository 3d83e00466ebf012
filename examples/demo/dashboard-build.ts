import { spawn } from "node:child_process";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { packageFolder } from "./options.ts";

const sources = join(packageFolder, "dashboard");
const built = join(packageFolder, "dist/dashboard");
/** Between the folder's name and the id of the process that builds it. */
const draftMark = ".draft-";

/** Whether the dashboard was never built, or its sources have changed since. */
export async function isDashboardStale(): Promise<boolean> {
  const page = await stat(join(built, "index.html")).catch(() => null);
  if (page === null) return true;
  const entries = await readdir(sources, { recursive: true });
  const times = await Promise.all(entries.map(async (entry) => (await stat(join(sources, entry))).mtimeMs));
  return times.some((time) => time > page.mtimeMs);
}

/**
 * Builds the dashboard. It appears whole or not at all, also when this process is killed meanwhile.
 *
 * @throws Error with what the build said; the dashboard is then as it was.
 */
export async function buildDashboard(): Promise<void> {
  await removeAbandonedDrafts();
  const draft = `${built}${draftMark}${process.pid}`;
  try {
    await runVite(draft);
    await rm(built, { recursive: true, force: true });
    await rename(draft, built);
  } catch (error) {
    // Another demo may have built it meanwhile.
    if (await isDashboardStale()) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Removes what killed processes left. */
async function removeAbandonedDrafts(): Promise<void> {
  const folder = dirname(built);
  const entries = await readdir(folder).catch(() => []);
  const drafts = entries.filter((entry) => entry.startsWith(basename(built) + draftMark));
  const abandoned = drafts.filter((draft) => !isAlive(Number(draft.split(draftMark)[1])));
  for (const draft of abandoned) await rm(join(folder, draft), { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function runVite(outputFolder: string): Promise<void> {
  const vite = join(packageFolder, "node_modules/vite/bin/vite.js");
  // The native loader writes nothing into node_modules, which may belong to somebody else.
  const options = ["--configLoader", "native", "--outDir", outputFolder, "--emptyOutDir", "--logLevel", "error"];
  const child = spawn(process.execPath, [vite, "build", sources, ...options], {
    cwd: packageFolder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(/^\w*Error: (.*)$/m.exec(words)?.[1] ?? `vite ended with ${code}`));
    });
  });
}
