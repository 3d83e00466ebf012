import { useSyncExternalStore } from "react";
import { formatExact, formatRelative } from "../format.ts";

/* One clock for the page: every relative time moves on together. What reads the same after a tick is not drawn again. */
const tickMs = 250;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now();
  for (const each of listeners) each();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, tickMs);
  // The clock stood still while nobody looked at it.
  if (Date.now() - now > tickMs) tick();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The present time in milliseconds, renewed four times a second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

/** A time as `5 min ago`, and exactly on hover. */
export function RelativeTime({ at }: { readonly at: string }) {
  const words = useSyncExternalStore(subscribe, () => formatRelative(at, now));
  return (
    <time dateTime={at} title={formatExact(at)} className="whitespace-nowrap tabular-nums">
      {words}
    </time>
  );
}

/** The present time while a run is unfinished, renewed four times a second; the time it finished at, after. */
export const useRunClock = (finishedAt: string | null): number =>
  useSyncExternalStore(subscribe, () => (finishedAt === null ? now : Date.parse(finishedAt)));
