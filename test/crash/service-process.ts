import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServiceReady, ServiceSettings } from "./service.ts";

/** A running service. */
export interface ServiceProcess extends ServiceReady {
  readonly pid: number;
  /** `kill -9`, and waits until the system has removed the process. */
  kill(): Promise<void>;
  /** Ends it in good order. */
  stop(): Promise<void>;
}

/** Starts a service in a process of its own; resolves when it is ready. */
export async function startService(settings: ServiceSettings): Promise<ServiceProcess> {
  const child = fork(fileURLToPath(new URL("service.ts", import.meta.url)), [JSON.stringify(settings)], {
    execArgv: ["--conditions=sluice-source"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  const end = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  const died = exited.then(([code]) => Promise.reject(new Error(`the service ended with ${code} before it was ready`)));
  died.catch(() => {});
  const [ready] = (await Promise.race([once(child, "message"), died])) as [ServiceReady];
  return { ...ready, pid: child.pid!, kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}
