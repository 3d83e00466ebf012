import type { JsonObject } from "../core/index.ts";
import type { Reply } from "./exchange.ts";
import type { ModelVendor, ReplyHeaders } from "./model-vendor.ts";

const contextTokens = 200_000;

/** Anthropic's shape of an error. @see https://platform.claude.com/docs/en/api/errors */
function failed(status: number, type: string, message: string, details?: JsonObject): Reply {
  return { status, body: { type: "error", error: { type, message, ...(details && { details }) } } };
}

/** Anthropic. */
export const anthropic: ModelVendor = {
  knownModel: /^(?:sandbox|claude)-[\w.:-]+$/,
  contextTokens,
  /** @see https://platform.claude.com/docs/en/api/rate-limits#response-headers */
  limitHeaders: ({ limit, remaining, resetMs }, now) => {
    const reset = toRfc3339(now.getTime() + resetMs);
    const bucket = (name: string, most: number, left: number): ReplyHeaders => ({
      [`anthropic-ratelimit-${name}-limit`]: String(most),
      [`anthropic-ratelimit-${name}-remaining`]: String(left),
      [`anthropic-ratelimit-${name}-reset`]: reset,
    });
    return {
      ...bucket("requests", limit.requests, remaining.requests),
      ...bucket("tokens", limit.tokens, remaining.tokens),
      ...bucket("input-tokens", limit.inputTokens, remaining.inputTokens),
      ...bucket("output-tokens", limit.outputTokens, remaining.outputTokens),
    };
  },
  rateLimited: () => failed(429, "rate_limit_error", "This request would exceed your organization's rate limit."),
  quotaExhausted: () =>
    failed(
      400,
      "invalid_request_error",
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    ),
  /** A 429 that no wait helps: only its details tell it from a rate limit. */
  spendLimitReached: () =>
    failed(429, "rate_limit_error", "Your organization has reached its monthly spend limit.", {
      error_code: "enforced_spend_limit_reached",
    }),
  paymentRequired: () => failed(402, "billing_error", "There is an issue with your billing or payment information."),
  invalidKey: () => failed(401, "authentication_error", "invalid x-api-key"),
  forbidden: () =>
    failed(403, "permission_error", "Your API key does not have permission to use the specified resource."),
  modelNotFound: (model) => failed(404, "not_found_error", `model: ${model}`),
  contextExceeded: (used) =>
    failed(400, "invalid_request_error", `prompt is too long: ${used} tokens > ${contextTokens} maximum`),
  invalidRequest: (message, status = 400) =>
    failed(status, status === 404 ? "not_found_error" : "invalid_request_error", message),
  serverError: () => failed(500, "api_error", "Internal server error"),
  unavailable: () => failed(503, "api_error", "Service unavailable"),
  overloaded: () => failed(529, "overloaded_error", "Overloaded"),
};

/** The refusal of an answer by Anthropic's filter. */
export const outputBlocked = (): Reply =>
  failed(400, "invalid_request_error", "Output blocked by content filtering policy");

/** To the second, rounded up: whoever waits until then has waited long enough. */
function toRfc3339(ms: number): string {
  return new Date(Math.ceil(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
