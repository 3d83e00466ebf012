/** Longest delay of a timer. @see https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestMs = 2 ** 31 - 1;

/** Resolves at a time (null: never by itself), or as soon as the signal fires. Keeps no process alive by itself. */
export function waitUntil(time: Date | null, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const arm = (): void => {
      const left = time === null ? longestMs : time.getTime() - Date.now();
      if (left <= 0 || signal.aborted) end();
      else timer = setTimeout(arm, Math.min(left, longestMs)).unref();
    };
    signal.addEventListener("abort", end);
    arm();
  });
}
