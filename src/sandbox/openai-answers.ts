import type { Reply } from "./exchange.ts";
import type { ModelVendor } from "./model-vendor.ts";

const contextTokens = 128_000;

/** OpenAI's shape of an error. @see https://platform.openai.com/docs/guides/error-codes */
function failed(status: number, type: string, message: string, code: string | null = null): Reply {
  return { status, body: { error: { message, type, param: null, code } } };
}

const limitMessage = (wait: string) =>
  `Rate limit reached in organization org-sandbox on requests per min (RPM) or tokens per min (TPM). Please try again in ${wait}.`;

/** OpenAI, and servers that copy it. */
export const openai: ModelVendor = {
  knownModel: /^(?:(?:sandbox|gpt|text-embedding)-[\w.:-]+|o\d[\w.:-]*)$/,
  contextTokens,
  /** @see https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers */
  limitHeaders: ({ limit, remaining, resetMs }) => ({
    "x-ratelimit-limit-requests": String(limit.requests),
    "x-ratelimit-limit-tokens": String(limit.tokens),
    "x-ratelimit-remaining-requests": String(remaining.requests),
    "x-ratelimit-remaining-tokens": String(remaining.tokens),
    "x-ratelimit-reset-requests": toGoDuration(resetMs),
    "x-ratelimit-reset-tokens": toGoDuration(resetMs),
  }),
  rateLimited: (waitMs) => failed(429, "requests", limitMessage(toGoDuration(waitMs)), "rate_limit_exceeded"),
  quotaExhausted: () =>
    failed(
      429,
      "insufficient_quota",
      "You exceeded your current quota, please check your plan and billing details.",
      "insufficient_quota",
    ),
  /** @see https://developers.openai.com/api/docs/guides/spend-limits */
  spendLimitReached: () =>
    failed(
      429,
      "insufficient_quota",
      "Your organization has reached its monthly spend limit.",
      "organization_spend_limit_exceeded",
    ),
  /** As servers that copy OpenAI answer, such as DeepSeek and OpenRouter. */
  paymentRequired: () => failed(402, "insufficient_balance", "Insufficient Balance", "payment_required"),
  invalidKey: () =>
    failed(
      401,
      "invalid_request_error",
      "Incorrect API key provided. You can find your API key in the dashboard.",
      "invalid_api_key",
    ),
  forbidden: () =>
    failed(
      403,
      "request_forbidden",
      "Country, region, or territory not supported",
      "unsupported_country_region_territory",
    ),
  modelNotFound: (model) =>
    failed(
      404,
      "invalid_request_error",
      `The model \`${model}\` does not exist or you do not have access to it.`,
      "model_not_found",
    ),
  contextExceeded: (used) =>
    failed(
      400,
      "invalid_request_error",
      `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${used} tokens. Please reduce the length of the messages.`,
      "context_length_exceeded",
    ),
  invalidRequest: (message, status = 400) => failed(status, "invalid_request_error", message),
  serverError: () =>
    failed(500, "server_error", "The server had an error while processing your request. Sorry about that!"),
  unavailable: () => failed(503, "server_error", "The engine is currently overloaded, please try again later"),
  overloaded: () => failed(529, "overloaded_error", "Overloaded", "overloaded"),
};

/** The refusal of a prompt by Azure's filter. @see https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter */
export const promptFiltered = (): Reply =>
  failed(
    400,
    "invalid_request_error",
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    "content_filter",
  );

/** Writes a time as OpenAI's headers do: `20ms`, `1.5s`, `6m0s`, `1h2m3s`. */
export function toGoDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const [hours, minutes, seconds] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms % 60_000) / 1000];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}
