import { SluiceError } from "../../core/index.ts";

/** Tries that are counted together, and how many of them are free. */
export interface ThrottleKey {
  readonly key: string;
  readonly free: number;
}

interface Tries {
  readonly count: number;
  readonly lastMs: number;
  readonly blockedUntilMs: number;
}

/** Tries are forgotten after this long without a further one. */
const memoryMs = 15 * 60_000;
const longestWaitMs = 5 * 60_000;

/** Slows down guessing. */
export interface Throttle {
  /**
   * Counts a try under each key, before it is made, so that a thousand at once do not all go through. Beyond the free
   * ones each further try must wait: 1 s, then twice as long each time, up to 5 minutes. A refused try is not counted.
   *
   * @throws SIGN_IN_THROTTLED with the time to wait.
   */
  take(keys: readonly ThrottleKey[]): void;
  /** Takes back one counted try, of somebody who turned out to be welcome. */
  giveBack(key: string): void;
  /** Forgets all tries of a key. */
  forget(key: string): void;
}

/**
 * A throttle in the memory of this process.
 *
 * @param nowMs the clock, in milliseconds.
 * @param capacity most keys that are remembered; the ones untouched for longest go first. Default: 10,000.
 */
export function createThrottle(nowMs: () => number, capacity = 10_000): Throttle {
  // A Map keeps the order of insertion; each write moves its key to the end.
  const tries = new Map<string, Tries>();

  function find(key: string): Tries | undefined {
    const found = tries.get(key);
    return found && nowMs() - found.lastMs < memoryMs ? found : undefined;
  }

  function store(key: string, entry: Tries): void {
    tries.delete(key);
    tries.set(key, entry);
    const [oldest] = tries.keys();
    if (tries.size > capacity && oldest !== undefined) tries.delete(oldest);
  }

  return {
    take(keys) {
      const waitMs = Math.max(...keys.map(({ key }) => (find(key)?.blockedUntilMs ?? 0) - nowMs()));
      if (waitMs > 0) throw throttled(waitMs);
      for (const { key, free } of keys) {
        const count = (find(key)?.count ?? 0) + 1;
        const nextMs = count < free ? 0 : Math.min(1000 * 2 ** (count - free), longestWaitMs);
        store(key, { count, lastMs: nowMs(), blockedUntilMs: nowMs() + nextMs });
      }
    },
    giveBack(key) {
      const found = find(key);
      if (found) store(key, { count: Math.max(0, found.count - 1), lastMs: found.lastMs, blockedUntilMs: 0 });
    },
    forget: (key) => void tries.delete(key),
  };
}

function throttled(waitMs: number): SluiceError {
  return new SluiceError("SIGN_IN_THROTTLED", {
    message: "too many tries to sign in",
    hint: `Wait ${Math.ceil(waitMs / 1000)} s and try again.`,
    retryAfterMs: waitMs,
  });
}
