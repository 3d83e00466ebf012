/** Longest delay of a timer. @see https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestMs = 2 ** 31 - 1;

let offsetMs = Date.now() - performance.now();

/**
 * The time by which runs wait: that of the database, which all processes share, carried on by a clock that does not jump
 * when this machine's time is set. There is one engine in a process, so there is one such clock.
 */
export const clock = {
  /** Milliseconds since 1970. */
  now: (): number => performance.now() + offsetMs,
  /** @param now the database's time, as it was just now. */
  set(now: Date): void {
    offsetMs = now.getTime() - performance.now();
  },
};

/** Resolves after a time in milliseconds, or as soon as the signal fires. Keeps no process alive by itself. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(0, ms), longestMs)).unref();
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
  });
}

/** Resolves at a time (null: never by itself), or as soon as the signal fires. Keeps no process alive by itself. */
export async function waitUntil(time: Date | null, signal: AbortSignal): Promise<void> {
  const leftMs = (): number => (time === null ? longestMs : time.getTime() - clock.now());
  while (leftMs() > 0 && !signal.aborted) await pause(leftMs(), signal);
}
