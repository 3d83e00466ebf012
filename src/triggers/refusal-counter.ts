import type { ErrorCode } from "../core/index.ts";

/** How often what was counted is written. */
const writeMs = 1000;
/** Stands in no path and in no code. */
const separator = "\n";

/** What {@link createRefusalCounter} takes. */
export interface RefusalCounterOptions {
  /** Adds to a counter that lasts. */
  readonly write: (path: string, code: ErrorCode, times: number) => Promise<void>;
  /** Told when it could not be written; what was counted is added to the next try. */
  readonly onFailed: () => void;
}

/**
 * Counts refused deliveries in memory and writes the counts once a second: a flood of refusals must not cost a flood of
 * writes to one row.
 */
export function createRefusalCounter({ write, onFailed }: RefusalCounterOptions): {
  count(path: string, code: ErrorCode): void;
  close(): Promise<void>;
} {
  let counts = new Map<string, number>();
  const add = (key: string, times: number): void => void counts.set(key, (counts.get(key) ?? 0) + times);

  async function flush(): Promise<void> {
    const counted = counts;
    counts = new Map();
    for (const [key, times] of counted) {
      const [path = "", code = ""] = key.split(separator);
      await write(path, code as ErrorCode, times).catch(() => {
        add(key, times);
        onFailed();
      });
    }
  }
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    if (counts.size > 0) writing = writing.then(flush);
  }, writeMs).unref();
  return {
    count: (path, code) => add(`${path}${separator}${code}`, 1),
    async close() {
      clearInterval(timer);
      await writing;
      await flush();
    },
  };
}
