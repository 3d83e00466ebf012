import type { ErrorCode } from "../core/index.ts";
import type { Signs } from "./failure-signs.ts";

/** What is made of an answer. */
export interface Reaction {
  readonly code: ErrorCode;
  /** Continues a sentence that begins with the model's name. */
  readonly what: string;
  readonly hint?: string;
}

/** Chooses the reaction to an answer that is a failure. `waitMs` is the wait that the answer announces. */
export function reactTo(signs: Signs, waitMs: number | undefined): Reaction {
  return rules.find(({ applies }) => applies(signs, waitMs))?.reaction ?? unreadable;
}

/** An answer below 400 that the provider's package could not read: a web page, or a body that was cut off. */
const unreadable: Reaction = { code: "MODEL_UNAVAILABLE", what: "answered with something that is not its API's JSON" };

const quotaLabels =
  /^(?:insufficient_quota|billing\w*|credit\w*|spend\w*|payment_required|ServiceQuotaExceededException)$/i;
const quotaText =
  /credit balance is too low|specified (?:api )?usage limits|exceeded your current quota|spend(?:ing)? (?:limit|cap)|enable billing|api calls? \/ month/i;
const rateLimitLabels = /^(?:rate_limit\w*|throttlingException|resource_exhausted|modelNotReadyException)$/i;
const authText = /api[ _]key (?:is )?(?:not valid|invalid)|api_key_invalid|invalid api (?:key|token)/i;
const timeoutLabels = /^(?:modelTimeoutException)$/i;
const unavailableLabels =
  /^(?:overloaded_error|api_error|server_error|internal\w*|modelStreamErrorException|serviceUnavailableException|unavailable)$/i;
const contextText =
  /context_length_exceeded|exceed_context_size|maximum context|context (?:length|window|size)|(?:prompt|input) is too long|too many (?:input )?tokens|token count.{0,40}exceeds|request_too_large/i;
const refusalText =
  /content_filter|content_policy|content (?:management policy|filtering policy)|moderation|safety system|usage polic(?:y|ies)/i;
const missingModelLabels = /^(?:model_not_found|DeploymentNotFound)$/;
const retiredText =
  /model_not_found|model_decommissioned|invalid[_ ]model\b|model identifier is invalid|end of its life|model\b.{0,80}\b(?:not (?:found|exist)|does not exist|deprecated|retired|decommissioned)/i;

interface Rule {
  readonly applies: (signs: Signs, waitMs: number | undefined) => boolean;
  readonly reaction: Reaction;
}

const hasLabel = (labels: readonly string[], pattern: RegExp): boolean => labels.some((label) => pattern.test(label));

/**
 * The first that applies decides.
 *
 * @see https://platform.openai.com/docs/guides/error-codes
 * @see https://docs.anthropic.com/en/api/errors
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors
 * @see https://docs.cohere.com/reference/errors
 */
const rules: readonly Rule[] = [
  {
    // A limit per minute of Gemini speaks of quota as well, but says when it ends.
    applies: ({ status, labels, text }, waitMs) =>
      status === 402 || hasLabel(labels, quotaLabels) || (quotaText.test(text) && status < 500 && waitMs === undefined),
    reaction: {
      code: "MODEL_QUOTA_EXHAUSTED",
      what: "refuses because the account's credit or spending limit is used up",
      hint: "Top up the account or raise its limit with the provider, then resume the failed runs.",
    },
  },
  {
    applies: ({ status, labels }) => status === 429 || hasLabel(labels, rateLimitLabels),
    reaction: { code: "MODEL_RATE_LIMITED", what: "asks for fewer requests" },
  },
  {
    // OpenAI answers 403 to a key that may not use the model, Cohere 498 to an invalid one, Google 400.
    applies: ({ status, labels, text }) =>
      ([401, 403, 498].includes(status) && !hasLabel(labels, missingModelLabels)) ||
      (status === 400 && authText.test(text)),
    reaction: {
      code: "MODEL_AUTH_FAILED",
      what: "does not accept the API key",
      hint: "Check the key that the model's apiKey names, and what it may be used for.",
    },
  },
  {
    applies: ({ status, labels }) => status === 408 || hasLabel(labels, timeoutLabels),
    reaction: { code: "MODEL_TIMEOUT", what: "ran out of time" },
  },
  {
    // 424: a model on Bedrock failed while it worked.
    applies: ({ status, labels }) =>
      status >= 500 || [409, 424, 425].includes(status) || hasLabel(labels, unavailableLabels),
    reaction: { code: "MODEL_UNAVAILABLE", what: "is not available" },
  },
  {
    applies: ({ status, text }) => status === 413 || (status >= 400 && contextText.test(text)),
    reaction: {
      code: "MODEL_CONTEXT_EXCEEDED",
      what: "cannot take a request of this size",
      hint: "Send fewer or shorter fields, or use a model with a longer context.",
    },
  },
  {
    applies: ({ status, text }) => status >= 400 && refusalText.test(text),
    reaction: {
      code: "MODEL_REFUSED",
      what: "refused the request by its content rules",
      hint: "Handle this in the flow: show the case to a person, or go on without the answer.",
    },
  },
  {
    applies: ({ status, isJson, text }) =>
      status === 410 || (status === 404 && isJson) || (status >= 400 && retiredText.test(text)),
    reaction: {
      code: "MODEL_RETIRED",
      what: "does not exist any more, or not for this key",
      hint: "Configure another model id under this name. With a server of your own, check its baseUrl.",
    },
  },
  {
    applies: ({ status }) => status >= 400,
    reaction: {
      code: "MODEL_REQUEST_REJECTED",
      what: "rejected the request",
      hint: "Check the model's baseUrl and settings; a server without JSON Schema support needs structuredOutput: false.",
    },
  },
];
