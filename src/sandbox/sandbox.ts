import { fork, type ChildProcess } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SluiceError } from "../core/index.ts";
import { readFilteredCalls, type CallFilter } from "./control.ts";
import type { SandboxCall, SandboxCredentials } from "./exchange.ts";
import type { FaultRule } from "./fault-plan.ts";
import type { FromSandbox, Ready, StartSettings, ToSandbox } from "./messages.ts";
import type { ModelLimits } from "./model-limits.ts";
import type { Recording } from "./record.ts";
import type { HubspotContact, SlackMessage } from "./state.ts";

/** How long a closed sandbox may take to end before it is killed. */
const closeDeadlineMs = 2000;

/** What {@link startSandbox} takes. */
export interface SandboxOptions {
  /** Holds the record and the credentials; made where it is missing. One running sandbox per folder. */
  readonly folder: string;
  /** Decides which calls the faults with a probability hit. Default: 1. */
  readonly seed?: number;
  /** Default: none. */
  readonly faults?: readonly FaultRule[];
  /** Added to every answer. Default: 0. */
  readonly latencyMs?: number;
  /** Default: 0, a free one is chosen. Give that of before to a sandbox that takes the place of a dead one. */
  readonly port?: number;
  /**
   * Path of a module that exports `answer`, a {@link Brain}. It runs in the sandbox's process.
   * Default: the smallest JSON that fits the asked schema, or a sentence, marked SIMULATED.
   */
  readonly brain?: string;
  /** What the models allow. Default: more than anybody sends. */
  readonly limits?: ModelLimits;
  /** How long a batch of model requests takes. Default: 300. */
  readonly batchDelayMs?: number;
  /**
   * Default: `durable`, each call is on disk before it is answered. For benchmarks: `buffered` does not wait for the disk,
   * `none` keeps no record, so that {@link Sandbox.calls} gives none either.
   */
  readonly recording?: Recording;
}

/** A running sandbox. Its record outlives it: {@link readFilteredCalls} gives it without one. */
export interface Sandbox {
  /** For `slackApiUrl` of Slack's client; ends with a slash. */
  readonly slackUrl: string;
  /** In place of `https://api.hubapi.com`. */
  readonly hubspotUrl: string;
  /** In place of `https://api.openai.com/v1`. */
  readonly openaiUrl: string;
  /** In place of `https://api.anthropic.com/v1`. */
  readonly anthropicUrl: string;
  /** In place of `https://api.cohere.com/v2`. */
  readonly cohereUrl: string;
  readonly origin: string;
  readonly pid: number;
  /** The same for a folder at every start. */
  readonly credentials: SandboxCredentials;
  /** For other processes: `{origin}/_sandbox/*` with this token as bearer. */
  readonly controlToken: string;
  /** All recorded calls. Reads the file, so that it works also after the process was killed. @throws CONFIG_INVALID when it is damaged. */
  calls(filter?: CallFilter): Promise<readonly SandboxCall[]>;
  /** All messages, the oldest first. @throws INTERNAL when the process has ended. */
  slackMessages(): Promise<readonly SlackMessage[]>;
  /** All contacts, the oldest first. @throws INTERNAL when the process has ended. */
  hubspotContacts(): Promise<readonly HubspotContact[]>;
  /** Replaces the rules, and counts anew. @throws CONFIG_INVALID for an unknown system or kind; the old rules then stay. */
  setFaults(rules: readonly FaultRule[]): Promise<void>;
  /** Replaces the limits of the models; what was counted stays counted. @throws CONFIG_INVALID for a limit that is none; the old ones then stay. */
  setLimits(limits: ModelLimits): Promise<void>;
  /** Ends the process; until then it keeps this one from ending by itself. Calls without an answer yet get none. */
  close(): Promise<void>;
}

/**
 * Starts stand-ins of Slack, HubSpot, OpenAI, Anthropic and Cohere on loopback, in a process of their own, which ends
 * with this one. What was answered before, by an earlier sandbox of the folder, is still there.
 *
 * @throws CONFIG_INVALID for an unknown fault, a brain without `answer` or a damaged record; PORT_IN_USE.
 *
 * @example
 * const sandbox = await startSandbox({ folder: ".sluice/sandbox", faults: [{ system: "slack", kind: "ratelimited", times: 1 }] });
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const folder = resolve(options.folder);
  const settings: StartSettings = {
    folder,
    seed: options.seed ?? 1,
    faults: options.faults ?? [],
    latencyMs: options.latencyMs ?? 0,
    port: options.port ?? 0,
    brain: options.brain === undefined ? null : resolve(options.brain),
    limits: options.limits ?? {},
    batchDelayMs: options.batchDelayMs ?? 300,
    recording: options.recording ?? "durable",
  };
  const link = new SandboxLink(spawnSandbox(settings));
  const { origin, credentials, controlToken } = await link.ready;
  return {
    origin,
    slackUrl: `${origin}/slack/api/`,
    hubspotUrl: `${origin}/hubspot`,
    openaiUrl: `${origin}/openai/v1`,
    anthropicUrl: `${origin}/anthropic/v1`,
    cohereUrl: `${origin}/cohere/v2`,
    pid: link.pid,
    credentials,
    controlToken,
    calls: (filter) => readFilteredCalls(folder, filter),
    slackMessages: () => link.ask({ command: "slackMessages" }) as Promise<readonly SlackMessage[]>,
    hubspotContacts: () => link.ask({ command: "hubspotContacts" }) as Promise<readonly HubspotContact[]>,
    setFaults: async (rules) => {
      await link.ask({ command: "setFaults", rules });
    },
    setLimits: async (limits) => {
      await link.ask({ command: "setLimits", limits });
    },
    close: () => link.close(),
  };
}

/** From the sources the child runs the sources, from the built package the built file. */
function spawnSandbox(settings: StartSettings): ChildProcess {
  const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.js", import.meta.url));
  // Output of a brain must not get between what this process prints for programs to read.
  return fork(main, [JSON.stringify(settings)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
}

type Question = ToSandbox extends infer Message ? (Message extends unknown ? Omit<Message, "id"> : never) : never;

/** The channel to the sandbox's process. */
class SandboxLink {
  readonly ready: Promise<Ready>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<Ready>();
  #lastId = 0;
  #end: string | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.ready = this.#started.promise;
    child.on("message", (message: FromSandbox) => this.#take(message));
    child.on("error", (error) => this.#fail(`cannot be reached: ${error.message}`));
    child.on("exit", (code, signal) => this.#fail(`ended with ${signal ?? `code ${code}`}`));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask(question: Question): Promise<unknown> {
    if (this.#end !== undefined) throw this.#endError();
    const id = (this.#lastId += 1);
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#child.send({ id, ...question });
    return answer.promise;
  }

  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), closeDeadlineMs);
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended.promise;
    clearTimeout(timer);
  }

  #take(message: FromSandbox): void {
    if ("ready" in message) return this.#started.resolve(message.ready);
    if ("failed" in message) return this.#started.reject(SluiceError.fromJSON(message.failed));
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ("error" in message) answer?.reject(SluiceError.fromJSON(message.error));
    else answer?.resolve(message.result);
  }

  #fail(end: string): void {
    this.#end ??= end;
    this.#ended.resolve();
    this.#started.reject(this.#endError());
    for (const answer of this.#waiting.values()) answer.reject(this.#endError());
    this.#waiting.clear();
  }

  #endError(): SluiceError {
    return new SluiceError("INTERNAL", {
      message: `the sandbox process ${this.pid} ${this.#end}`,
      hint: "Its own words, if any, are on stderr. Start it again: its record is kept.",
    });
  }
}
