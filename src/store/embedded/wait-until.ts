/** How long and how often {@link waitUntil} looks. */
export interface WaitOptions {
  readonly timeoutMs: number;
  /** Default 10. */
  readonly everyMs?: number;
}

/**
 * Looks again and again until the check gives something other than `undefined`, and gives that.
 * `undefined` when the time is over; at least one look is taken.
 */
export async function waitUntil<T>(check: () => T | Promise<T>, options: WaitOptions): Promise<T | undefined> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (performance.now() >= deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 10));
  }
}
