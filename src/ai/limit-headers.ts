import type { AnswerHeaders } from "./retry-after.ts";
import { readResetMs } from "./retry-after.ts";

/** A limit of an account, as an answer of the provider tells it. */
export interface SeenLimit {
  readonly kind: "requests" | "tokens" | "input_tokens" | "output_tokens";
  /** How much the account may use; null when it is not told. */
  readonly limit: number | null;
  /** How much of it is left. */
  readonly remaining: number | null;
  /** Milliseconds until all of it is there again. */
  readonly resetMs: number | null;
}

/** Where a provider writes a limit. */
interface Place {
  readonly kind: SeenLimit["kind"];
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

const place = (kind: Place["kind"], pattern: string): Place => ({
  kind,
  limit: pattern.replace("*", "limit"),
  remaining: pattern.replace("*", "remaining"),
  reset: pattern.replace("*", "reset"),
});

/**
 * Of each kind, the first place that tells something counts.
 *
 * @see https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers also Groq, Azure and most compatible servers
 * @see https://docs.anthropic.com/en/api/rate-limits#response-headers
 * @see https://github.com/mistralai/client-ts/issues/169
 */
const places: readonly Place[] = [
  place("requests", "x-ratelimit-*-requests"),
  place("tokens", "x-ratelimit-*-tokens"),
  ...(["requests", "tokens", "input-tokens", "output-tokens"] as const).map((name) => ({
    kind: name.replace("-", "_") as Place["kind"],
    limit: `anthropic-ratelimit-${name}-limit`,
    remaining: `anthropic-ratelimit-${name}-remaining`,
    reset: `anthropic-ratelimit-${name}-reset`,
  })),
  // Mistral.
  place("requests", "x-ratelimit-*-req-minute"),
  place("tokens", "x-ratelimit-*-tokens-minute"),
  // Cohere and OpenRouter.
  place("requests", "x-ratelimit-*"),
];

/**
 * Reads the limits that an answer tells of. A limit that is not above 0, as Azure sends for what it does not know, makes all of its
 * place unknown; so does whatever is no number. What is not told is left out.
 */
export function readLimitHeaders(headers: AnswerHeaders, nowMs: number): readonly SeenLimit[] {
  const seen = new Map<SeenLimit["kind"], SeenLimit>();
  for (const from of places) {
    const limit = seen.has(from.kind) ? null : readPlace(from, headers, nowMs);
    if (limit !== null) seen.set(from.kind, limit);
  }
  return [...seen.values()];
}

function readPlace({ kind, ...names }: Place, headers: AnswerHeaders, nowMs: number): SeenLimit | null {
  const limit = wholeNumber(headers[names.limit]);
  const remaining = wholeNumber(headers[names.remaining]);
  const isUnknown = headers[names.limit] === undefined ? remaining === null : limit === null || limit === 0;
  if (isUnknown) return null;
  return { kind, limit, remaining, resetMs: readResetMs(headers[names.reset] ?? "", nowMs) ?? null };
}

/** At most 15 digits, so that the number is exact. */
function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : null;
}
