import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectedOf, type FailureRow, openaiError, outcomeOf } from "./fixtures/failing-call.ts";
import {
  jsonAnswer,
  type ProviderStandIn,
  startProviderStandIn,
  type StandInReply,
} from "./fixtures/provider-stand-in.ts";

let standIn: ProviderStandIn;
beforeAll(async () => void (standIn = await startProviderStandIn()));
afterAll(() => standIn.close());

const googleError = (status: number, name: string, message: string, details: readonly unknown[] = []) =>
  jsonAnswer({ error: { code: status, message, status: name, details } }, status);
const bedrockError = (status: number, name: string, message: string): StandInReply => ({
  ...jsonAnswer({ message }, status),
  headers: { "x-amzn-errortype": `${name}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
});
const mistralError = (status: number, type: string, message: string) =>
  jsonAnswer({ object: "error", message, type, param: null, code: "1500" }, status);

const table: readonly FailureRow[] = [
  {
    what: "429 with Gemini's retryDelay, though it speaks of quota",
    provider: "openai-compatible",
    reply: {
      status: 429,
      body: JSON.stringify([
        {
          error: {
            code: 429,
            message: "You exceeded your current quota, please check your plan and billing details.",
            status: "RESOURCE_EXHAUSTED",
            details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.5s" }],
          },
        },
      ]),
    },
    code: "MODEL_RATE_LIMITED",
    waitMs: 34_500,
  },
  {
    what: "llama.cpp's context overflow",
    provider: "openai-compatible",
    reply: {
      status: 400,
      body: JSON.stringify({
        error: {
          code: 400,
          message: "the request exceeds the available context size",
          type: "exceed_context_size_error",
        },
      }),
    },
    code: "MODEL_CONTEXT_EXCEEDED",
  },
  {
    what: "a model taken out of service with 400",
    provider: "openai-compatible",
    reply: openaiError(400, "model_decommissioned", "The model has been decommissioned"),
    code: "MODEL_RETIRED",
  },
  {
    what: "429 that says the wait in words",
    provider: "azure",
    reply: openaiError(429, "429", "Requests have exceeded token rate limit. Please retry after 60 seconds."),
    code: "MODEL_RATE_LIMITED",
    waitMs: 60_000,
  },
  {
    what: "429 with a duration in words",
    provider: "openai-compatible",
    reply: openaiError(429, "rate_limit_exceeded", "Limit 6000. Please try again in 1m2.5s. Visit"),
    code: "MODEL_RATE_LIMITED",
    waitMs: 62_500,
  },
  {
    what: "429 of Azure that knows nothing",
    provider: "azure",
    reply: {
      ...openaiError(429, "429", "Too many"),
      headers: {
        "x-ratelimit-limit-tokens": "-1",
        "x-ratelimit-remaining-tokens": "-1",
        "x-ratelimit-reset-tokens": "0",
      },
    },
    code: "MODEL_RATE_LIMITED",
  },
  {
    what: "a deployment of Azure that is gone",
    provider: "azure",
    reply: openaiError(404, "DeploymentNotFound", "The API deployment for this resource does not exist."),
    code: "MODEL_RETIRED",
  },
  {
    what: "Google without a valid key, which it calls 400",
    provider: "google",
    reply: googleError(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID", domain: "googleapis.com" },
    ]),
    code: "MODEL_AUTH_FAILED",
  },
  {
    what: "Google's retryDelay",
    provider: "google",
    reply: googleError(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", [
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "7s" },
    ]),
    code: "MODEL_RATE_LIMITED",
    waitMs: 7000,
  },
  {
    what: "Google's spent quota",
    provider: "google",
    reply: googleError(
      429,
      "RESOURCE_EXHAUSTED",
      "You exceeded your current quota, please check your plan and billing details.",
    ),
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  {
    what: "Google's context overflow",
    provider: "google",
    reply: googleError(
      400,
      "INVALID_ARGUMENT",
      "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    code: "MODEL_CONTEXT_EXCEEDED",
  },
  {
    what: "Google's retired model",
    provider: "google",
    reply: googleError(404, "NOT_FOUND", "models/gemini-1.0-pro is not found for API version v1beta"),
    code: "MODEL_RETIRED",
  },
  {
    what: "Google overloaded",
    provider: "google",
    reply: googleError(503, "UNAVAILABLE", "overloaded"),
    code: "MODEL_UNAVAILABLE",
  },
  {
    what: "Google's permission",
    provider: "google",
    reply: googleError(403, "PERMISSION_DENIED", "x"),
    code: "MODEL_AUTH_FAILED",
  },
  {
    what: "Bedrock's throttling",
    provider: "bedrock",
    reply: bedrockError(429, "ThrottlingException", "Too many tokens, please wait before trying again."),
    code: "MODEL_RATE_LIMITED",
  },
  {
    what: "Bedrock's model that starts up",
    provider: "bedrock",
    reply: bedrockError(429, "ModelNotReadyException", "x"),
    code: "MODEL_RATE_LIMITED",
  },
  {
    what: "Bedrock's timeout",
    provider: "bedrock",
    reply: bedrockError(408, "ModelTimeoutException", "x"),
    code: "MODEL_TIMEOUT",
  },
  {
    what: "Bedrock's failing model",
    provider: "bedrock",
    reply: bedrockError(424, "ModelErrorException", "x"),
    code: "MODEL_UNAVAILABLE",
  },
  {
    what: "Bedrock's context overflow",
    provider: "bedrock",
    reply: bedrockError(400, "ValidationException", "Input is too long for requested model."),
    code: "MODEL_CONTEXT_EXCEEDED",
  },
  {
    what: "Bedrock's unknown model",
    provider: "bedrock",
    reply: bedrockError(400, "ValidationException", "The provided model identifier is invalid."),
    code: "MODEL_RETIRED",
  },
  {
    what: "Bedrock's model at its end",
    provider: "bedrock",
    reply: bedrockError(404, "ResourceNotFoundException", "This model version has reached the end of its life."),
    code: "MODEL_RETIRED",
  },
  {
    what: "Bedrock's access",
    provider: "bedrock",
    reply: bedrockError(403, "AccessDeniedException", "x"),
    code: "MODEL_AUTH_FAILED",
  },
  {
    what: "Bedrock's quota",
    provider: "bedrock",
    reply: bedrockError(400, "ServiceQuotaExceededException", "x"),
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  {
    what: "Mistral's limit",
    provider: "mistral",
    reply: mistralError(429, "rate_limited", "Requests rate limit exceeded"),
    code: "MODEL_RATE_LIMITED",
  },
  {
    what: "Mistral's key",
    provider: "mistral",
    reply: jsonAnswer({ detail: "Unauthorized" }, 401),
    code: "MODEL_AUTH_FAILED",
  },
  {
    what: "Mistral's unknown model",
    provider: "mistral",
    reply: mistralError(400, "invalid_model", "Invalid model: some-model"),
    code: "MODEL_RETIRED",
  },
  {
    what: "Mistral's context overflow",
    provider: "mistral",
    reply: mistralError(
      400,
      "invalid_request_error",
      "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
    ),
    code: "MODEL_CONTEXT_EXCEEDED",
  },
  {
    what: "Mistral without a choice",
    provider: "mistral",
    reply: jsonAnswer({ id: "x", object: "chat.completion", created: 1, model: "m", choices: [], usage: {} }),
    code: "MODEL_UNAVAILABLE",
  },
  {
    what: "Cohere's limit a minute",
    provider: "cohere",
    reply: jsonAnswer({ message: "You are using a Trial key, which is limited to 20 API calls / minute." }, 429),
    code: "MODEL_RATE_LIMITED",
  },
  {
    what: "Cohere's limit a month",
    provider: "cohere",
    reply: jsonAnswer({ message: "You are using a Trial key, which is limited to 1000 API calls / month." }, 429),
    code: "MODEL_QUOTA_EXHAUSTED",
  },
  {
    what: "Cohere's key",
    provider: "cohere",
    reply: jsonAnswer({ message: "invalid api token" }, 401),
    code: "MODEL_AUTH_FAILED",
  },
  {
    what: "Cohere's expired key",
    provider: "cohere",
    reply: jsonAnswer({ message: "invalid token" }, 498),
    code: "MODEL_AUTH_FAILED",
  },
  {
    what: "Cohere's context overflow",
    provider: "cohere",
    reply: jsonAnswer({ message: "too many tokens: size limit exceeded by 500 tokens" }, 400),
    code: "MODEL_CONTEXT_EXCEEDED",
  },
  {
    what: "Cohere's unknown model",
    provider: "cohere",
    reply: jsonAnswer({ message: "model 'x' not found, make sure the correct model ID was used" }, 404),
    code: "MODEL_RETIRED",
  },
];

describe("what the models of other providers can answer", () => {
  test.each(table)("$what: $code", async (row) => {
    expect(await outcomeOf(standIn, row)).toEqual(expectedOf(row));
  });
});
