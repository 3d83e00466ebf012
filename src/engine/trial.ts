import type { Log } from "../core/index.ts";
import { type ClaimedRun, type Store, suspectAfter } from "../store/index.ts";

/** How long a run is alone under suspicion at first; eight times as long after each further death. */
const firstTrialMs = 500;

/** What {@link Trial} takes. */
export interface TrialOptions {
  readonly store: Store;
  readonly log: Log;
  /** Takes on and begins a run under suspicion; null when there is none. */
  readonly claim: () => Promise<ClaimedRun | null>;
}

/**
 * Finds the run that kills its processes among those that were under way when they died. Each is tried for a moment while
 * no other is: when the process dies then, it is that one. It is acquitted by the end of a step. One whose time is over
 * goes on beside the next, still under suspicion, and is tried for longer should the process die again: so a run that
 * kills late is found as well, and no neighbour is ever set aside for it.
 */
export class Trial {
  readonly #options: TrialOptions;
  #tried: ClaimedRun | null = null;
  #timer: NodeJS.Timeout | null = null;
  #claiming = false;

  constructor(options: TrialOptions) {
    this.#options = options;
  }

  /** Tries the next one, unless one is being tried. */
  async next(): Promise<void> {
    if (this.#tried || this.#claiming) return;
    this.#claiming = true;
    try {
      this.#tried = await this.#options.claim();
    } finally {
      this.#claiming = false;
    }
    if (!this.#tried) return;
    const run = this.#tried;
    this.#timer = setTimeout(() => this.end(run), firstTrialMs * 8 ** (run.suspicion - suspectAfter)).unref();
  }

  /** A step of a run has ended: it does not kill its process. */
  acquit(run: ClaimedRun): void {
    if (run.suspicion < suspectAfter) return;
    // When it fails, the run stays under suspicion without need.
    this.#options.store.dispatch.acquit(run).catch(() => {});
    this.end(run);
  }

  /** A run has left this process, only waits, or its time is over. */
  end(run: ClaimedRun): void {
    if (this.#tried?.id !== run.id) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#tried = null;
    this.next().catch((error: unknown) => {
      // The next poll tries again.
      this.#options.log.warn("dispatch.failed", { error: error instanceof Error ? error.name : "unknown" });
    });
  }
}
