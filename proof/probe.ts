/** A request and how it was answered. Times are those of `performance.now()`. */
export interface Look {
  readonly beganAt: number;
  readonly endedAt: number;
  /** Null: the connection broke, or no answer came within {@link answerLimitMs}. */
  readonly status: number | null;
}

/** Looks at an address regularly, whether or not earlier looks have been answered. */
export interface Probe {
  readonly looks: readonly Look[];
  /** Resolves when the looks under way have ended. */
  stop(): Promise<void>;
}

const everyMs = 250;
const patienceMs = 10_000;

/** Whoever waits longer than this for an answer gives up. */
export const answerLimitMs = 30_000;

/** Begins to look. */
export function startProbe(url: string, headers: { readonly [name: string]: string } = {}): Probe {
  const looks: Look[] = [];
  const underway = new Set<Promise<void>>();
  const stopping = new AbortController();
  async function look(): Promise<void> {
    const beganAt = performance.now();
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(answerLimitMs)]);
    const status = await fetch(url, { headers, signal }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => null,
    );
    const endedAt = performance.now();
    // What the end of the experiment broke off counts when it had waited for too long by then.
    if (!stopping.signal.aborted || endedAt - beganAt > patienceMs) looks.push({ beganAt, endedAt, status });
  }
  const ticking = setInterval(() => {
    const looking = look().finally(() => underway.delete(looking));
    underway.add(looking);
  }, everyMs);
  return {
    looks,
    async stop() {
      clearInterval(ticking);
      stopping.abort();
      await Promise.all(underway);
    },
  };
}

/** Those that began and ended within a time. */
export function within<T extends Look>(looks: readonly T[], fromMs: number, toMs: number): readonly T[] {
  return looks.filter(({ beganAt, endedAt }) => beganAt >= fromMs && endedAt <= toMs);
}

/** Says that looks were answered otherwise than they should. */
export function findUnexpected(what: string, looks: readonly Look[], wanted: number): string[] {
  const others = looks.filter(({ status }) => status !== wanted);
  if (others.length === 0) return [];
  const statuses = [...new Set(others.map(({ status }) => status ?? "nothing"))].join(", ");
  return [`${what} was answered by ${statuses} in ${others.length} of ${looks.length} looks, not by ${wanted}`];
}
