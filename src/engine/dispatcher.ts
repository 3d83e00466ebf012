import type { Log } from "../core/index.ts";
import type { ClaimedRun, Store } from "../store/index.ts";
import type { DurableRuntime } from "./runtime.ts";

/** How often queued runs of other processes are looked for when nothing here says that there are any. */
const pollMs = 1000;

/** What {@link Dispatcher} takes. */
export interface DispatcherOptions {
  readonly store: Store;
  readonly runtime: DurableRuntime;
  readonly executor: string;
  readonly log: Log;
  readonly inFlight: InFlight;
  /** Most runs that this process executes at once. */
  readonly concurrency: number;
}

/** A run of this process that is to begin, or to go on where another process left it. */
interface Unbegun {
  readonly run: ClaimedRun;
  readonly adopted: boolean;
}

/** Executions of runs that are under way in this process, however they came here. */
export class InFlight {
  /** A resumed run can be here twice for a moment: the cancelled execution may not have ended yet. */
  readonly #executions = new Set<{ readonly runId: string }>();

  /** Counts a run as under way until the execution ends. */
  async track(runId: string, execute: () => Promise<void>): Promise<void> {
    const execution = { runId };
    this.#executions.add(execution);
    try {
      await execute();
    } finally {
      this.#executions.delete(execution);
    }
  }

  get ids(): readonly string[] {
    return [...this.#executions].map((execution) => execution.runId);
  }
}

/**
 * Starts queued runs while there is room: at once when one was accepted here, by polling when another process did.
 * A run that was claimed and not begun when its process died is found by adoption; its id makes a second start harmless.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #timer: NodeJS.Timeout;
  /** This process' own and not begun yet, because the database went away in between. */
  readonly #unbegun: Unbegun[] = [];
  #active = 0;
  #claiming: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.wake(), pollMs).unref();
  }

  /** Looks for queued runs now. */
  wake(): void {
    this.#again = true;
    if (this.#closed) return;
    this.#claiming ??= this.#claim().finally(() => {
      this.#claiming = null;
      if (this.#again && this.#hasRoom) this.wake();
    });
  }

  /** Goes on with runs that a dead process left; they are this process' own now. */
  adopt(runs: readonly ClaimedRun[]): void {
    this.#unbegun.push(...runs.map((run) => ({ run, adopted: true })));
    this.wake();
  }

  /** Takes no more runs; resolves when no claim is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#claiming;
  }

  get #hasRoom(): boolean {
    return !this.#closed && this.#active < this.#options.concurrency;
  }

  async #claim(): Promise<void> {
    const { store, executor, log, concurrency } = this.#options;
    await this.#stopCancelled();
    while (this.#hasRoom && this.#again) {
      this.#again = false;
      try {
        const claimed = await store.dispatch.claim(executor, concurrency - this.#active);
        this.#unbegun.push(...claimed.map((run) => ({ run, adopted: false })));
        await Promise.all(this.#unbegun.splice(0).map((unbegun) => this.#begin(unbegun)));
        this.#again ||= claimed.length > 0;
      } catch (error) {
        // The next poll tries again.
        log.warn("dispatch.failed", { error: error instanceof Error ? error.name : "unknown" });
        return;
      }
    }
  }

  async #begin(unbegun: Unbegun): Promise<void> {
    const { run, adopted } = unbegun;
    try {
      if (adopted) await this.#takeOver(run);
      else if (run.resumes > 0) await this.#resume(run);
      else await this.#start(run);
    } catch (error) {
      this.#unbegun.push(unbegun);
      throw error;
    }
  }

  async #start({ workspaceId, id }: ClaimedRun): Promise<void> {
    const { ended } = await this.#options.runtime.start(workspaceId, id);
    this.#active += 1;
    void ended.then(() => {
      this.#active -= 1;
      this.wake();
    });
  }

  /**
   * Goes on with a run that had begun: what was recorded before its failed step is kept. Harmless when done twice, so a
   * process that dies in the middle leaves nothing half-done.
   */
  async #resume(run: ClaimedRun): Promise<void> {
    const { runtime, store } = this.#options;
    switch (await runtime.stateOf(run.id)) {
      case "absent":
        return this.#start(run);
      case "live":
        // Cancelled by a person, and not yet stopped where it ran.
        await runtime.cancel(run.id);
        break;
      case "over":
        break;
    }
    // The failed step's own row stays, with what it tried.
    if (run.failedStep !== null) await store.workspace(run.workspaceId).steps.dropAfter(run.id, run.failedStep);
    await runtime.rewind(run.id, run.failedStep);
  }

  /** Goes on with a run from wherever its dead process left it. */
  async #takeOver(run: ClaimedRun): Promise<void> {
    const { runtime } = this.#options;
    // An execution that is not over replays what it recorded; anything else is a resume that its process did not finish.
    if ((await runtime.stateOf(run.id)) === "live") await runtime.requeue(run.id);
    else await this.#resume(run);
  }

  /** Stops the executions here of runs that were cancelled, by whichever process. */
  async #stopCancelled(): Promise<void> {
    const { store, runtime, inFlight, log } = this.#options;
    try {
      if (inFlight.ids.length === 0) return;
      for (const id of await store.dispatch.cancelled(inFlight.ids)) await runtime.cancel(id);
    } catch (error) {
      // The next poll tries again.
      log.warn("cancel.failed", { error: error instanceof Error ? error.name : "unknown" });
    }
  }
}
