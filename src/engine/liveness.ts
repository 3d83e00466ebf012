/** A process as a look at the register of processes shows it. */
export interface Sight {
  readonly executor: string;
  /** Grows while the process lives. */
  readonly beat: number;
  /** Whether nobody holds the lock of its connection. */
  readonly lockFree: boolean;
}

interface Watched {
  readonly beat: number;
  /** When this beat was seen first. */
  readonly beatSinceMs: number;
  /** Since when every look found the lock free; null while it is held. */
  readonly freeSinceMs: number | null;
}

/** A killed process' connection ends with it; one that merely lost its connection has a new one sooner. Just under the interval of looks. */
export const lockFreeForMs = 900;
/** A process that is frozen, or whose machine vanished, keeps its connection for long. Five times the interval of beats. */
export const silentForMs = 10_000;
/** A watcher that was away for so long has seen nothing, and begins anew: it may be the one that was frozen. */
export const longestGapMs = 3000;

/**
 * Says which processes are dead, from looks at them about once a second. It compares what it saw itself, by its own
 * monotonic clock, and no clocks of others: a clock that jumps kills nobody.
 */
export class LivenessWatch {
  #watched = new Map<string, Watched>();
  #lookedAtMs = -Infinity;

  /** Takes a look into account, and gives those that are dead. */
  look(sights: readonly Sight[], nowMs: number): string[] {
    const before = nowMs - this.#lookedAtMs > longestGapMs ? new Map<string, Watched>() : this.#watched;
    this.#lookedAtMs = nowMs;
    this.#watched = new Map(sights.map((sight) => [sight.executor, watch(sight, before.get(sight.executor), nowMs)]));
    return [...this.#watched].filter(([, watched]) => isDead(watched, nowMs)).map(([executor]) => executor);
  }
}

function watch({ beat, lockFree }: Sight, before: Watched | undefined, nowMs: number): Watched {
  return {
    beat,
    beatSinceMs: before?.beat === beat ? before.beatSinceMs : nowMs,
    freeSinceMs: lockFree ? (before?.freeSinceMs ?? nowMs) : null,
  };
}

/** A beat that came after the lock was seen free is a sign of life: the process is about to register again. */
function isDead({ beatSinceMs, freeSinceMs }: Watched, nowMs: number): boolean {
  if (nowMs - beatSinceMs >= silentForMs) return true;
  return freeSinceMs !== null && nowMs - Math.max(freeSinceMs, beatSinceMs) >= lockFreeForMs;
}
