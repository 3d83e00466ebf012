import type { Reply } from "./exchange.ts";
import type { Admission, LimitStanding } from "./model-limits.ts";

/** Headers of an answer, by lower-case name. */
export type ReplyHeaders = { readonly [name: string]: string };

/** How a vendor of models refuses, and how it tells its limits. */
export interface ModelVendor {
  /** The models that exist, so that a flow's own setting works in the sandbox. */
  readonly knownModel: RegExp;
  readonly contextTokens: number;
  readonly limitHeaders: (standing: LimitStanding, now: Date) => ReplyHeaders;
  /** Status 429, without any header. */
  readonly rateLimited: (waitMs: number) => Reply;
  /** The credit is used up. */
  readonly quotaExhausted: () => Reply;
  /** A limit of spending that the customer or the vendor has set is reached. */
  readonly spendLimitReached: () => Reply;
  /** Status 402. */
  readonly paymentRequired: () => Reply;
  /** Status 401. */
  readonly invalidKey: () => Reply;
  /** Status 403. */
  readonly forbidden: () => Reply;
  /** Status 404. */
  readonly modelNotFound: (model: string) => Reply;
  readonly contextExceeded: (usedTokens: number) => Reply;
  readonly invalidRequest: (message: string, status?: number) => Reply;
  /** Status 500. */
  readonly serverError: () => Reply;
  /** Status 503. */
  readonly unavailable: () => Reply;
  /** Status 529. */
  readonly overloaded: () => Reply;
}

/** The answer to a request beyond a limit. Its wait is told to the millisecond, so that a client can use the whole limit. */
export function refusedByLimit(vendor: ModelVendor, admission: Admission, now: Date): Reply {
  const { waitMs } = admission;
  const headers = {
    ...vendor.limitHeaders(admission.standing(), now),
    "retry-after": String(Math.ceil(waitMs / 1000)),
    "retry-after-ms": String(waitMs),
  };
  return { ...vendor.rateLimited(waitMs), headers };
}
