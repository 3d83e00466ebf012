import type { Reply } from "./exchange.ts";
import type { ModelVendor } from "./model-vendor.ts";

const contextTokens = 512_000;

/** Cohere's shape of an error. @see https://docs.cohere.com/reference/errors */
const failed = (status: number, message: string): Reply => ({ status, body: { id: "sandbox", message } });

/** Cohere. */
export const cohere: ModelVendor = {
  knownModel: /^(?:sandbox|embed|rerank)-[\w.:-]+$/,
  contextTokens,
  /**
   * The reset is a Unix time in seconds, as Cohere's own client reads it; rounded up.
   *
   * @see https://github.com/cohere-ai/cohere-typescript (core/fetcher/requestWithRetries)
   */
  limitHeaders: ({ limit, remaining, resetMs }, now) => ({
    "x-ratelimit-limit": String(limit.requests),
    "x-ratelimit-remaining": String(remaining.requests),
    "x-ratelimit-reset": String(Math.ceil((now.getTime() + resetMs) / 1000)),
  }),
  rateLimited: () => failed(429, "You are past the per minute request limit, please wait and try again later."),
  quotaExhausted: () =>
    failed(
      429,
      "You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits at 'https://dashboard.cohere.com/api-keys'.",
    ),
  spendLimitReached: () => failed(402, "You have reached your billing limit. Please raise it on the billing page."),
  paymentRequired: () =>
    failed(402, "Please add or update your payment method at https://dashboard.cohere.com/billing to continue."),
  invalidKey: () => failed(401, "invalid api token"),
  forbidden: () => failed(403, "your api key does not have access to this resource"),
  modelNotFound: (model) =>
    failed(
      404,
      `model '${model}' not found, make sure the correct model ID was used and that you have access to the model.`,
    ),
  contextExceeded: (used) =>
    failed(400, `too many tokens: total number of tokens must be at most ${contextTokens}, got ${used}`),
  invalidRequest: (message, status = 400) => failed(status, `invalid request: ${message}`),
  serverError: () => failed(500, "internal server error"),
  unavailable: () => failed(503, "service unavailable, please try again later"),
  overloaded: () => failed(529, "overloaded"),
};
