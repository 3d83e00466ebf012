import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LoadResult, LoadSettings } from "./load.ts";

/** Runs the load generator to its end. */
export async function generateLoad(settings: LoadSettings): Promise<LoadResult> {
  return runChild<LoadResult>("load.ts", settings);
}

/** Runs a file of this folder as a process of its own, and gives what it sends. */
export async function runChild<Result>(file: string, settings: object): Promise<Result> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(settings)], {
    // Stock DBOS queues queries on one client, of which pg warns.
    execArgv: ["--conditions=sluice-source", "--disable-warning=DeprecationWarning"],
  });
  const died = once(child, "exit").then(([code]) => Promise.reject(new Error(`${file} ended with ${code}`)));
  died.catch(() => {});
  const [result] = (await Promise.race([once(child, "message"), died])) as [Result];
  return result;
}
