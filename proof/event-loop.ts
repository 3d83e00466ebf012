/** How far apart the looks at the clock are. */
const lookMs = 5;

/** Tells how long this process' thread was busy at a stretch, unable to answer anybody. */
export interface LoopWatch {
  /** The longest stretch since the last call, in milliseconds. */
  takeLongestMs(): number;
}

/**
 * Watches the event loop of this process. Counted is what the thread itself computed between two looks, not what it
 * waited for a core that others had: the machine of an experiment is shared.
 */
export function watchLoop(): LoopWatch {
  let [lookedAt, used] = [performance.now(), usedMs()];
  let longest = 0;
  setInterval(() => {
    const [now, usedNow] = [performance.now(), usedMs()];
    longest = Math.max(longest, Math.min(now - lookedAt - lookMs, usedNow - used));
    [lookedAt, used] = [now, usedNow];
  }, lookMs).unref();
  return {
    takeLongestMs() {
      const taken = Math.max(0, longest);
      longest = 0;
      return taken;
    },
  };
}

/** Processor time of this thread. */
function usedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
