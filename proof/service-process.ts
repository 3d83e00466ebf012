import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServiceOrder, ServiceReady, ServiceSettings } from "./service.ts";

/** A running service. */
export interface ServiceProcess extends ServiceReady {
  readonly pid: number;
  /** Resolves when the process has ended, with its exit code or the signal that ended it. */
  readonly exited: Promise<number | string>;
  isRunning(): boolean;
  /** Asks or tells it something. @throws Error when it cannot be done, or the process ends before it answers. */
  ask<Answer>(order: ServiceOrder): Promise<Answer>;
  /** What it wrote to stderr last. */
  words(): string;
  /** `kill -9`, and waits until the system has removed the process. */
  kill(): Promise<void>;
  /** SIGSTOP: it stands still, and its connections stay open. */
  freeze(): void;
  /** SIGCONT: it goes on as if nothing had been. */
  wake(): void;
  /** Ends it in good order, or by `kill -9` when that takes more than 10 s. Harmless when it has ended. */
  stop(): Promise<void>;
}

/** How the process is made. */
export interface ProcessOptions {
  /** Put over the variables of this process, such as `LD_PRELOAD`. */
  readonly variables?: { readonly [name: string]: string };
  /** Module that is run. Default: service.ts. */
  readonly module?: URL;
  /** Node's own, such as `--max-old-space-size=200`. */
  readonly nodeOptions?: readonly string[];
}

const readyWithinMs = 30_000;
const stoppedWithinMs = 10_000;

/** Starts a service in a process of its own; resolves when it is ready. @throws Error with its last words when it ends before. */
export async function startService(settings: ServiceSettings, options: ProcessOptions = {}): Promise<ServiceProcess> {
  const module = fileURLToPath(options.module ?? new URL("service.ts", import.meta.url));
  const child = fork(module, [JSON.stringify(settings)], {
    execArgv: ["--conditions=sluice-source", ...(options.nodeOptions ?? [])],
    env: { ...process.env, ...options.variables },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-4000)));
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | string);
  const late = setTimeout(() => child.kill("SIGKILL"), readyWithinMs);
  const died = exited.then((end) =>
    Promise.reject(new Error(`the service ended with ${end} before it was ready: ${words}`)),
  );
  died.catch(() => {});
  const [ready] = (await Promise.race([once(child, "message"), died]).finally(() => clearTimeout(late))) as [
    ServiceReady,
  ];
  const link = new Link(child);
  const ended = exited.then((end) => Promise.reject(new Error(`the service ended with ${end}`)));
  ended.catch(() => {});
  const send = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    ...ready,
    pid: child.pid ?? 0,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    ask: <Answer>(order: ServiceOrder) => Promise.race([link.ask(order), ended]) as Promise<Answer>,
    words: () => words,
    kill: () => send("SIGKILL"),
    freeze: () => void child.kill("SIGSTOP"),
    wake: () => void child.kill("SIGCONT"),
    async stop() {
      // A frozen process would not hear of it.
      child.kill("SIGCONT");
      const patience = setTimeout(() => child.kill("SIGKILL"), stoppedWithinMs);
      await send("SIGTERM").finally(() => clearTimeout(patience));
    },
  };
}

type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string });

/** Questions to the process and its answers. */
class Link {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (answer: Answer) => this.#take(answer));
  }

  ask(order: ServiceOrder): Promise<unknown> {
    const id = (this.#lastId += 1);
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    // It may be dead already: the caller hears of that by its exit.
    this.#child.send({ id, ...order }, () => {});
    return waiting.promise;
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("error" in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.result);
  }
}
