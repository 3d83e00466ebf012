/** Headers by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | undefined>>;

/**
 * How long a provider's answer asks us to wait, in milliseconds; undefined when it does not say, or says something that is
 * unreadable, not positive or in the past. Nothing is capped.
 *
 * Reads, in this order: `retry-after-ms`; `retry-after` as seconds or as an HTTP date; Gemini's `retryDelay` in the body; the
 * resets of OpenAI (`x-ratelimit-reset-requests: 6m0s`), Anthropic (`anthropic-ratelimit-tokens-reset`, a date) and Cohere
 * (`x-ratelimit-reset`); a wait in the words of the message.
 *
 * @see https://developers.openai.com/api/docs/guides/rate-limits
 * @see https://docs.anthropic.com/en/api/rate-limits
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export function readRetryAfterMs(headers: AnswerHeaders, body: string, nowMs: number): number | undefined {
  return (
    number(headers["retry-after-ms"], 1) ??
    number(headers["retry-after"], 1000) ??
    until(headers["retry-after"], nowMs) ??
    retryDelay(body) ??
    latestReset(headers, nowMs) ??
    inWords(body)
  );
}

const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Milliseconds of `6m0s`, `20ms`, `1h2m3.5s`, as Go writes durations; undefined for anything else and for 0. */
export function parseGoDuration(text: string): number | undefined {
  if (text.length > 40 || !/^(?:\d+(?:\.\d+)?(?:ms|h|m|s))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  return positive(parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit as keyof typeof unitMs], 0));
}

function number(text: string | undefined, unit: number): number | undefined {
  return text !== undefined && /^\d{1,13}(?:\.\d+)?$/.test(text.trim()) ? positive(Number(text) * unit) : undefined;
}

/** An HTTP date or an RFC 3339 time. Date.parse alone would take `-1` for a date. */
function until(text: string | undefined, nowMs: number): number | undefined {
  const isDate = text !== undefined && /^(?:[A-Z][a-z]{2,8},? |\d{4}-\d{2}-\d{2}T)/.test(text);
  return isDate ? positive(Date.parse(text) - nowMs) : undefined;
}

function positive(ms: number): number | undefined {
  return Number.isFinite(ms) && ms > 0 ? Math.ceil(ms) : undefined;
}

/** `{"error":{"details":[{"@type":"...RetryInfo","retryDelay":"34.07s"}]}}`, also inside a list. */
function retryDelay(body: string): number | undefined {
  if (!body.includes("retryDelay")) return undefined;
  const found = /"retryDelay"\s*:\s*"([^"]{1,40})"/.exec(body)?.[1];
  return found === undefined ? undefined : parseGoDuration(found);
}

/** `Please retry after 60 seconds.` of Azure, `Please try again in 6m0s.` of OpenAI and Groq. */
function inWords(body: string): number | undefined {
  const found = /(?:retry after|try again in|retry in) (\d[\dhms.]{0,30})( seconds?| milliseconds)?/i.exec(
    body.slice(0, 4000),
  );
  const amount = found?.[1]?.replace(/\.$/, "") ?? "";
  const unit = found?.[2]?.trim().startsWith("milli") === true ? 1 : 1000;
  return found?.[2] === undefined ? parseGoDuration(amount) : number(amount, unit);
}

interface Bucket {
  readonly name: string;
  readonly remaining: string | undefined;
  readonly waitMs: number;
}

/**
 * The latest reset among the limits that are used up. When no header says which one is, the token limits count: the request
 * was then larger than what is left, while a far-off reset of a daily request limit would stop the work for nothing.
 */
function latestReset(headers: AnswerHeaders, nowMs: number): number | undefined {
  const buckets = Object.keys(headers).flatMap((header) => toBucket(header, headers, nowMs));
  const empty = buckets.filter(({ remaining }) => remaining === undefined || Number(remaining) <= 0);
  const counting = empty.length > 0 ? empty : buckets.filter(({ name }) => name.includes("token"));
  return counting.length === 0 ? undefined : Math.max(...counting.map(({ waitMs }) => waitMs));
}

function toBucket(header: string, headers: AnswerHeaders, nowMs: number): Bucket[] {
  const openai = /^x-ratelimit-reset(?:-(.+))?$/.exec(header);
  const anthropic = /^anthropic-ratelimit-(.+)-reset$/.exec(header);
  const name = openai ? (openai[1] ?? "") : anthropic?.[1];
  if (name === undefined) return [];
  const text = headers[header] ?? "";
  const waitMs = readResetMs(text, nowMs);
  const remaining = openai
    ? headers[name === "" ? "x-ratelimit-remaining" : `x-ratelimit-remaining-${name}`]
    : headers[`anthropic-ratelimit-${name}-remaining`];
  return waitMs === undefined ? [] : [{ name, remaining, waitMs }];
}

/** Milliseconds until the time that a reset header names: a duration, a date, or a number. Undefined when it is past or unreadable. */
export function readResetMs(text: string, nowMs: number): number | undefined {
  return parseGoDuration(text) ?? until(text, nowMs) ?? clock(text, nowMs);
}

/** A bare number: seconds to wait, or, when it is that large, a Unix time in seconds or milliseconds. */
function clock(text: string, nowMs: number): number | undefined {
  const value = number(text, 1);
  if (value === undefined) return undefined;
  if (value > 1e11) return positive(value - nowMs);
  return value > 1e8 ? positive(value * 1000 - nowMs) : value * 1000;
}
