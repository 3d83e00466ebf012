import { SluiceError } from "../core/index.ts";

/** Shortest and longest time that a sender is asked to wait, before it is stretched by up to three times, so that not all come back together. */
const shortestMs = 1000;
const longestMs = 10_000;

/**
 * Refuses events while the queue is full. Knows its length from the last count and what was queued here since, so that
 * accepting costs no query; what other processes queue between two counts goes unseen until the next.
 */
export class QueueGauge {
  readonly #most: number;
  #counted = 0;
  #queuedSince = 0;
  /** Runs that left the queue per second, when some did; 0: not known yet. */
  #drainRate = 0;
  #countedAtMs = performance.now();

  /** @param most runs that may be queued. */
  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#counted + this.#queuedSince;
  }

  /** How far a count must go: no further than needed to know that it is full. */
  get countLimit(): number {
    return this.#most + 1000;
  }

  /** A run was queued here. */
  add(): void {
    this.#queuedSince += 1;
  }

  /** The queue was counted. */
  set(count: number): void {
    const now = performance.now();
    const seconds = (now - this.#countedAtMs) / 1000;
    const left = Math.max(0, this.length - count);
    if (seconds > 0 && left > 0) this.#drainRate = left / seconds;
    this.#counted = count;
    this.#queuedSince = 0;
    this.#countedAtMs = now;
  }

  /** @throws QUEUE_FULL, with the time in which a tenth of the queue should be done. */
  check(): void {
    if (this.length < this.#most) return;
    const estimateMs = this.#drainRate > 0 ? (this.#most / 10 / this.#drainRate) * 1000 : shortestMs;
    const delayMs = Math.min(longestMs, Math.max(shortestMs, estimateMs)) * (1 + 2 * Math.random());
    throw new SluiceError("QUEUE_FULL", {
      message: `${this.length} runs are queued, and at most ${this.#most} may be`,
      hint: "Nothing was accepted; send it again after the time in Retry-After. maxQueued in the configuration sets the limit.",
      retryAfterMs: Math.round(delayMs),
    });
  }
}
