import { setImmediate } from "node:timers/promises";

/** Long work on one text must not hold the event loop for longer than this, in milliseconds. */
const turnMs = 15;

/** Lets others have a turn in the middle of long work. */
export interface Breather {
  /** Goes on at once, or after a turn of the event loop when the last was more than 15 ms ago. @throws the signal's reason once it is aborted. */
  breathe(): Promise<void> | undefined;
}

/** Begins a turn. */
export function createBreather(signal?: AbortSignal): Breather {
  let turnBegan = performance.now();
  const pause = async () => {
    await setImmediate();
    signal?.throwIfAborted();
    turnBegan = performance.now();
  };
  return { breathe: () => (performance.now() - turnBegan > turnMs ? pause() : undefined) };
}
