/** The wish of a person, or of the process that started this one, that it ends. */
export interface StopRequest {
  /**
   * Resolves at the first SIGINT, SIGTERM or message `stop`, or when the process that could send one is gone. From then
   * on a second signal ends this process at once.
   */
  readonly requested: Promise<void>;
  readonly isRequested: boolean;
  /** Whether it came as a signal. */
  readonly isBySignal: boolean;
  /** Listens no more. */
  dispose(): void;
}

const signals = ["SIGINT", "SIGTERM"] as const;

/** npm passes Ctrl-C on to a process that gets it from the terminal as well: what follows so soon is the same wish. */
const sameWishMs = 500;

/** Listens for the wish to end. */
export function listenForStop(): StopRequest {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isRequested = false;
  let signalledAt: number | undefined;
  const stop = (): void => {
    isRequested = true;
    resolve();
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    signalledAt ??= now;
    if (now - signalledAt < sameWishMs) return stop();
    // Without our listeners the signal does what it does to every process.
    dispose();
    process.kill(process.pid, signal);
  };
  // Not counted as a signal: Ctrl-C reaches the supervisor and this process at the same time.
  const onMessage = (message: unknown): void => {
    if (message === "stop") stop();
  };
  const dispose = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
    process.off("message", onMessage);
    process.off("disconnect", stop);
  };
  for (const signal of signals) process.on(signal, onSignal);
  if (process.send) {
    process.on("message", onMessage).on("disconnect", stop);
    if (!process.connected) stop();
  }
  return {
    requested: promise,
    get isRequested() {
      return isRequested;
    },
    get isBySignal() {
      return signalledAt !== undefined;
    },
    dispose,
  };
}
