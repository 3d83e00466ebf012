import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { commandFile } from "./build.ts";

/** Signs the deliveries of all benchmarks. */
export const hookSecret: string = `whsec_${randomBytes(32).toString("base64")}`;

const configFile = fileURLToPath(new URL("project/sluice.config.ts", import.meta.url));

/** The first line of the command says the same. */
const nodeOptions = ["--disallow-code-generation-from-strings", "--disable-proto=delete"];

/** More options for the Node of the service, such as `--cpu-prof --cpu-prof-dir=/tmp/profiles`. */
const moreNodeOptions = process.env["BENCH_NODE_OPTIONS"]?.split(" ") ?? [];

/** A running `sluice start`. */
export interface Service {
  readonly pid: number;
  readonly publicUrl: string;
  readonly adminUrl: string;
  /** From the start of the process to the first 200 of `/readyz`. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** Plays with a data folder of its own, which Postgres may enter as another user, and removes it afterwards. */
export async function withDataFolder<T>(play: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    await chmod(path, 0o711);
    return await play(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/**
 * Starts the product as it is shipped, with the bundled Postgres.
 *
 * @param concurrency most runs at once; 0: events are accepted, and no run begins.
 */
async function startService(folder: string, concurrency = 100): Promise<Service> {
  const [publicPort, adminPort] = [await findFreePort(), await findFreePort()];
  const ports = ["--public-port", String(publicPort), "--admin-port", String(adminPort)];
  const start = ["start", "--config", configFile, "--folder", folder, ...ports];
  const began = performance.now();
  const child = spawn(process.execPath, [...nodeOptions, ...moreNodeOptions, commandFile, ...start], {
    // Nothing of the caller's: a provider's key would choose another model.
    env: { PATH: process.env["PATH"], BENCH_SECRET: hookSecret, BENCH_CONCURRENCY: String(concurrency) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-4000)));
  const publicUrl = `http://127.0.0.1:${publicPort}`;
  await untilReady(child, publicUrl, () => words);
  return {
    pid: child.pid ?? 0,
    publicUrl,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    readyMs: performance.now() - began,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Plays with a running service, and stops it afterwards. */
export async function withService<T>(
  folder: string,
  play: (service: Service) => Promise<T>,
  concurrency?: number,
): Promise<T> {
  const service = await startService(folder, concurrency);
  try {
    return await play(service);
  } finally {
    await service.stop();
  }
}

async function untilReady(child: ChildProcess, url: string, words: () => string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await setTimeout(5)) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    const response = await fetch(`${url}/readyz`).catch(() => null);
    await response?.arrayBuffer();
    if (response?.status === 200) return;
  }
  child.kill("SIGKILL");
  throw new Error(`the service did not get ready: ${words()}`);
}

function findFreePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
