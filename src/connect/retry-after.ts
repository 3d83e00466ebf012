/**
 * How long an answer asks us to wait, in milliseconds: `retry-after-ms`; `retry-after` in seconds or as an HTTP date;
 * `x-hubspot-ratelimit-interval-milliseconds`. Undefined when no header says, or says it in an unreadable way or a time gone by.
 * Nothing is capped.
 *
 * @param nowMs the present time, for dates.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function readRetryAfterMs(headers: Headers, nowMs: number): number | undefined {
  return (
    wholeMs(headers.get("retry-after-ms"), 1) ??
    wholeMs(headers.get("retry-after"), 1000) ??
    msUntil(headers.get("retry-after"), nowMs) ??
    wholeMs(headers.get("x-hubspot-ratelimit-interval-milliseconds"), 1)
  );
}

function wholeMs(text: string | null, unitMs: number): number | undefined {
  if (text === null || !/^\d{1,9}(?:\.\d+)?$/.test(text)) return undefined;
  return Math.ceil(Number(text) * unitMs);
}

function msUntil(text: string | null, nowMs: number): number | undefined {
  // An HTTP date starts with the day's name; Date.parse alone would also take "-1" for a date.
  const time = text !== null && /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN;
  return time > nowMs ? time - nowMs : undefined;
}
