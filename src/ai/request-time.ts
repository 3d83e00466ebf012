/** Time ran out while a request was waited for. */
export class Overdue extends Error {
  override readonly name = "Overdue";
  readonly waitedFor: Expected;
  readonly afterMs: number;

  constructor(waitedFor: Expected, afterMs: number) {
    super(`no ${waitedFor} within ${afterMs} ms`);
    this.waitedFor = waitedFor;
    this.afterMs = afterMs;
  }
}

/** What a request is waited for. */
export type Expected = "answer" | "first piece of the answer" | "next piece of the answer";

/** The time of one request, for whoever makes it. */
export interface RequestTime {
  /** Fires when nobody wants the answer any more; its connection is then of no use. */
  readonly signal: AbortSignal;
  /** Sets the time until the next sign of life, in place of the one that was set before. */
  expect(what: Expected, withinMs: number): void;
}

/** What {@link withinTime} takes. */
export interface TimeLimits<T> {
  readonly timeoutMs: number;
  /** Ends the request at once. */
  readonly stop: AbortSignal;
  /** Given an answer that came after the time, so that its cost is known. Without it a late request is given up at once. */
  readonly onLate?: ((answer: T) => void) | undefined;
}

/** How much longer an answer is listened for when nobody waits for it any more. */
const lateMs = 60_000;
/** So that a provider that answers nobody in time does not fill this process with open connections. */
const mostLate = 200;
let late = 0;

/**
 * Waits for a request, as long as it may take. The caller is let go at the end of the time in any case.
 *
 * @throws Overdue when time ran out; the reason of `stop`; what `work` throws.
 */
export async function withinTime<T>(limits: TimeLimits<T>, work: (time: RequestTime) => Promise<T>): Promise<T> {
  const { stop, timeoutMs, onLate } = limits;
  stop.throwIfAborted();
  if (timeoutMs <= 0) throw new Overdue("answer", 0);
  const end = new AbortController();
  const { promise: ending, reject } = Promise.withResolvers<never>();
  const onStop = (): void => {
    end.abort(stop.reason);
    reject(stop.reason);
  };
  stop.addEventListener("abort", onStop, { once: true });
  const expire = (what: Expected, ms: number) => setTimeout(() => reject(new Overdue(what, ms)), ms);
  const whole = expire("answer", timeoutMs);
  let next: NodeJS.Timeout | undefined;
  const expect = (what: Expected, ms: number): void => {
    clearTimeout(next);
    next = expire(what, ms);
  };
  const working = work({ signal: end.signal, expect });
  try {
    return await Promise.race([working, ending]);
  } catch (thrown) {
    if (thrown instanceof Overdue && onLate !== undefined && late < mostLate) void listenOn(working, end, onLate);
    else giveUp(working, end);
    throw thrown;
  } finally {
    clearTimeout(whole);
    clearTimeout(next);
    stop.removeEventListener("abort", onStop);
  }
}

/** Frees the connection. That the request fails by this is no news: its caller has an error already. */
function giveUp(working: Promise<unknown>, end: AbortController): void {
  working.catch(() => undefined);
  end.abort();
}

async function listenOn<T>(working: Promise<T>, end: AbortController, onLate: (answer: T) => void): Promise<void> {
  late += 1;
  const patience = setTimeout(() => end.abort(), lateMs).unref();
  // When it fails after all, the worst case stays charged, which its caller was told.
  const answer = await working.catch(() => undefined);
  clearTimeout(patience);
  late -= 1;
  if (answer !== undefined) onLate(answer);
}
