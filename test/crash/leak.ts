/** Starts an application, runs a lead, closes it, and prints what is left as JSON. */
import { readdir, readFile } from "node:fs/promises";
import { samples } from "../../examples/lead-routing/samples.ts";
import config from "../../examples/sluice.config.ts";
import { startTestApp } from "../../src/testing/index.ts";

/** What is open at a time. */
interface Open {
  /** As Node names them, sorted. */
  readonly resources: readonly string[];
  /** Processes of the system that have the folder in their command line or working directory, but for this one. */
  readonly processes: number;
}

export interface LeakReport {
  readonly before: Open;
  readonly during: Open;
  readonly after: Open;
}

const folder = process.argv[2] ?? "";

/** The sandbox and Postgres are started with the folder in their arguments. */
async function countProcesses(): Promise<number> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const parents = await Promise.all(ids.map(describe));
  const own = new Set(parents.filter((item) => item.command.includes(folder)).map((item) => item.id));
  // The other processes of Postgres have titles of their own.
  return parents.filter((item) => own.has(item.id) || own.has(item.parent)).length;
}

async function describe(id: string): Promise<{ id: string; parent: string; command: string }> {
  // A process that ends meanwhile has neither.
  const command = await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "");
  const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
  return { id, parent: /^PPid:\s*(\d+)/m.exec(status)?.[1] ?? "", command };
}

async function look(): Promise<Open> {
  const processes = await countProcesses();
  // What is closed is gone after a turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  return { resources: process.getActiveResourcesInfo().toSorted(), processes };
}

const before = await look();
const test = await startTestApp({ config, folder });
await test.send("lead-routing", samples.vague);
const run = await test.run("lead-routing", samples["urgent and large"]);
if (run.status !== "succeeded") throw new Error(`the run is ${run.status}`);
const during = await look();
await test.close();
const report: LeakReport = { before, during, after: await look() };
process.stdout.write(JSON.stringify(report));
