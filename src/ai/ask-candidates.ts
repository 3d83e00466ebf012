import { type ErrorCode, Postponed, SluiceError } from "../core/index.ts";
import type { EarlierCall } from "../store/index.ts";
import { isSimulated, modelIdOf, type ResolvedModel } from "./model-spec.ts";

/*
 * Which model of a name is asked, and what a failure leads to:
 *
 *   answers that fit no more, a used-up quota, a refused key, a retired model, a price or limit that does not fit
 *                                  -> the next model; after the last one, the failure; for a quota, a wait
 *   not available, no answer in time -> the step is tried again with backoff; after three of them, the next model
 *   429                              -> a wait as long as the provider asks; the next model where that is over five minutes
 *   a refusal by content rules, a budget, a cancelled run -> the failure
 */

/** A model that failed as often in a row is given up for the next one. */
const triesBeforeNext = 3;
/** A longer wait is given up for the next model. */
const longestWaitMs = 5 * 60_000;
/** Nobody waits longer than this without asking again. */
const longestParkMs = 60 * 60_000;
/** A provider that says 429 and not for how long is asked as often. */
const mostUnannounced = 12;
/** How long a run rests whose provider's quota is used up; `sluice models resume` ends it. */
const quotaRestMs = 15 * 60_000;

const leadsToNext: ReadonlySet<ErrorCode> = new Set([
  "MODEL_QUOTA_EXHAUSTED",
  "MODEL_AUTH_FAILED",
  "MODEL_RETIRED",
  "MODEL_REQUEST_REJECTED",
  "MODEL_INPUT_UNSUPPORTED",
  "MODEL_PRICE_UNKNOWN",
  "MODEL_LIMIT_TOO_LOW",
  "OUTPUT_INVALID",
  "OUTPUT_TRUNCATED",
]);

const unavailable: ReadonlySet<ErrorCode | null> = new Set(["MODEL_UNAVAILABLE", "MODEL_TIMEOUT"]);

/** What the choice depends on besides the failure. */
export interface Choosing {
  /** All requests of the step so far; grows. */
  readonly earlier: readonly EarlierCall[];
  readonly now: () => Date;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/**
 * Asks the candidates in order until one answers.
 *
 * @throws Postponed when none can be asked now; else what the last one failed with.
 */
export async function askCandidates<T>(
  candidates: readonly ResolvedModel[],
  choosing: Choosing,
  ask: (candidate: ResolvedModel, position: number) => Promise<T>,
): Promise<T> {
  let postponed: Postponed | null = null;
  const rested = restOf(candidates, choosing);
  for (const [position, candidate] of candidates.entries()) {
    const next = candidates[position + 1];
    if (next && rested(candidate)) continue;
    try {
      return await ask(candidate, position);
    } catch (thrown) {
      const failure = judge(thrown, candidate, choosing);
      if (failure instanceof Postponed) postponed = earlier(postponed, failure);
      if (next && goesOn(thrown, failure, candidate, next, choosing)) continue;
      throw postponed ?? failure;
    }
  }
  throw postponed ?? new SluiceError("INTERNAL", { message: "no model was left to ask" });
}

/** Who was given up in this round: each candidate has its tries, then all have them again. */
function restOf(candidates: readonly ResolvedModel[], choosing: Choosing): (candidate: ResolvedModel) => boolean {
  const roundsOf = (candidate: ResolvedModel): number =>
    Math.floor(countOf(choosing.earlier, candidate, unavailable) / triesBeforeNext);
  const round = Math.min(...candidates.map(roundsOf));
  return (candidate) => roundsOf(candidate) > round;
}

function countOf(calls: readonly EarlierCall[], { spec }: ResolvedModel, codes: ReadonlySet<ErrorCode | null>): number {
  const model = modelIdOf(spec);
  return calls.filter((call) => call.provider === spec.provider && call.model === model && codes.has(call.errorCode))
    .length;
}

/** The failure as it concerns the step: some mean that it waits. */
function judge(thrown: unknown, candidate: ResolvedModel, { earlier: calls, now, random }: Choosing): unknown {
  if (!(thrown instanceof SluiceError)) return thrown;
  const at = now().getTime();
  if (thrown.code === "MODEL_QUOTA_EXHAUSTED") {
    return new Postponed(new Date(at + quotaRestMs * (0.5 + random() / 2)), "circuit");
  }
  if (thrown.code !== "MODEL_RATE_LIMITED") return thrown;
  const times = countOf(calls, candidate, new Set<ErrorCode>(["MODEL_RATE_LIMITED"]));
  if (thrown.retryAfterMs === undefined && times >= mostUnannounced) return thrown;
  const backoffMs = Math.min(longestWaitMs, 1000 * 2 ** Math.max(0, times - 1)) * (0.5 + random() / 2);
  const waitMs = Math.min(longestParkMs, Math.max(thrown.retryAfterMs ?? 0, backoffMs)) + random() * 250;
  return new Postponed(new Date(at + waitMs), "limit");
}

function goesOn(
  thrown: unknown,
  failure: unknown,
  candidate: ResolvedModel,
  next: ResolvedModel,
  choosing: Choosing,
): boolean {
  if (failure instanceof Postponed) {
    const waitMs = failure.until.getTime() - choosing.now().getTime();
    const rateLimits = countOf(choosing.earlier, candidate, new Set<ErrorCode>(["MODEL_RATE_LIMITED"]));
    const isUnannounced = thrown instanceof SluiceError && thrown.retryAfterMs === undefined;
    return failure.reason === "circuit" || waitMs > longestWaitMs || (isUnannounced && rateLimits >= triesBeforeNext);
  }
  if (!(thrown instanceof SluiceError)) return false;
  if (thrown.code === "MODEL_CONTEXT_EXCEEDED") return isLonger(next, candidate);
  if (unavailable.has(thrown.code)) return countOf(choosing.earlier, candidate, unavailable) % triesBeforeNext === 0;
  return leadsToNext.has(thrown.code);
}

/** Whether a model may take what was too long for another; where nothing is known of them, it is tried. */
function isLonger(next: ResolvedModel, candidate: ResolvedModel): boolean {
  const [nextTokens, tokens] = [next, candidate].map(({ spec }) =>
    isSimulated(spec) ? undefined : spec.contextTokens,
  );
  return nextTokens === undefined || tokens === undefined || nextTokens > tokens;
}

function earlier(one: Postponed | null, other: Postponed): Postponed {
  return one !== null && one.until <= other.until ? one : other;
}
