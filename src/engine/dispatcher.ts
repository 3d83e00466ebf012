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
  /** Most runs that this process executes at once. */
  readonly concurrency: number;
}

/**
 * Starts queued runs while there is room: at once when one was accepted here, by polling when another process did.
 * A run that was claimed and not begun when its process died is found by adoption; its id makes a second start harmless.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #timer: NodeJS.Timeout;
  /** Claimed for this process and not begun yet, because the database went away in between. */
  readonly #unbegun: ClaimedRun[] = [];
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

  /** Begins a run that belongs to this process already. */
  async start(workspaceId: string, runId: string): Promise<void> {
    const { ended } = await this.#options.runtime.start(workspaceId, runId);
    this.#active += 1;
    void ended.then(() => {
      this.#active -= 1;
      this.wake();
    });
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
    while (this.#hasRoom && this.#again) {
      this.#again = false;
      try {
        const claimed = await store.dispatch.claim(executor, concurrency - this.#active);
        this.#unbegun.push(...claimed);
        await Promise.all(this.#unbegun.splice(0).map((run) => this.#begin(run)));
        this.#again ||= claimed.length > 0;
      } catch (error) {
        // The next poll tries again.
        log.warn("dispatch.failed", { error: error instanceof Error ? error.name : "unknown" });
        return;
      }
    }
  }

  async #begin(run: ClaimedRun): Promise<void> {
    try {
      await this.start(run.workspaceId, run.id);
    } catch (error) {
      this.#unbegun.push(run);
      throw error;
    }
  }
}
