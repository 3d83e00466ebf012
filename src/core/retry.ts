import type { SluiceError } from "./errors.ts";

/** How a step is tried again. Which errors are tried again is said by the error itself (`retryable`). */
export interface RetryPolicy {
  /** How often at most, the first try included. */
  readonly maxAttempts: number;
  /** Wait before the second try in milliseconds; doubles with each further one. */
  readonly firstDelayMs: number;
  /** No computed wait is longer. A wait that the other side asked for is never shortened. */
  readonly maxDelayMs: number;
}

/** Six tries over about a minute. */
export const defaultRetry: RetryPolicy = { maxAttempts: 6, firstDelayMs: 500, maxDelayMs: 60_000 };

/** One try only. */
export const neverRetry: RetryPolicy = { maxAttempts: 1, firstDelayMs: 0, maxDelayMs: 0 };

/**
 * How long to wait before the next try, or null when there is none.
 *
 * Full jitter over the upper half of the exponential delay, so that many runs that failed together do not come back
 * together; a `retryAfterMs` of the error is a floor, to which the jitter is added.
 *
 * @param random a number in [0, 1).
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function nextDelayMs(policy: RetryPolicy, attempt: number, error: SluiceError, random: number): number | null {
  if (!error.retryable || attempt >= policy.maxAttempts) return null;
  const exponential = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (attempt - 1));
  const jittered = Math.round(exponential * (0.5 + random / 2));
  return error.retryAfterMs === undefined ? jittered : Math.max(0, error.retryAfterMs) + Math.round(jittered / 2);
}
