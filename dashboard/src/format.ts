/*
 * Figures and times as people read them. Numbers keep their unit by a no-break space.
 */

const nb = "\u00a0";
const integers = new Intl.NumberFormat("en-GB");

export const formatCount = (count: number): string => integers.format(count);

/** `340 ms`, `2.1 s`, `4 min 10 s`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}${nb}ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)}${nb}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return `${large}${nb}${largeUnit}${small === 0 ? "" : ` ${small}${nb}${smallUnit}`}`;
}

/** Minutes of work saved, as `40 min`, `5 h 20 min` or `1,240 h`. */
export function formatMinutes(minutes: number): string {
  const whole = Math.round(minutes);
  if (whole < 60) return `${whole}${nb}min`;
  if (whole < 6000) return pair(Math.floor(whole / 60), "h", whole % 60, "min");
  return `${formatCount(Math.round(whole / 60))}${nb}h`;
}

/** Micro-dollars as `$0.00021`, `$0.042`, `$12.40`: two figures at least are kept of small sums. */
export function formatCost(microUsd: number): string {
  const usd = microUsd / 1_000_000;
  if (usd === 0) return "$0";
  if (usd >= 1) return `$${usd.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${Number(usd.toPrecision(2)).toFixed(Math.max(2, 1 - Math.floor(Math.log10(usd))))}`;
}

/** `12,400`, `1.2 M`, `1,000 M`. */
export function formatTokens(tokens: number): string {
  if (tokens < 1_000_000) return formatCount(tokens);
  const millions = tokens / 1_000_000;
  return `${millions < 99.95 ? millions.toFixed(1) : formatCount(Math.round(millions))}${nb}M`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const exact = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  timeZoneName: "short",
});

const dayOfUtc = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const monthOfUtc = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });

/** A day or month of UTC: `12 Nov 2026` of `2026-11-12`, `November 2026` of `2026-11`. */
export const formatDay = (date: string): string =>
  (/^\d{4}-\d{2}$/.test(date) ? monthOfUtc : dayOfUtc).format(new Date(date));

export const formatExact = (time: string): string => exact.format(new Date(time));

/** `09:12:40` today, `12 Nov, 09:12` before. */
export function formatClock(time: string, now: number): string {
  const date = new Date(time);
  return date.toDateString() === new Date(now).toDateString()
    ? clockSeconds.format(date)
    : `${day.format(date)}, ${clock.format(date)}`;
}

/** `09:12` today, `12 Nov, 09:12` before: since when something lasts. */
export function formatSince(time: string, now: number): string {
  const date = new Date(time);
  const minutes = clock.format(date);
  return date.toDateString() === new Date(now).toDateString() ? minutes : `${day.format(date)}, ${minutes}`;
}

/** `now`, `40 s ago`, `5 min ago`, `3 h ago`, `12 Nov`; `in 5 min` for what is to come. */
export function formatRelative(time: string, now: number): string {
  const date = new Date(time);
  const passedMs = now - date.getTime();
  if (Math.abs(passedMs) < 2000) return "now";
  const amount = relativeAmount(Math.abs(passedMs) / 1000);
  if (amount === null)
    return date.getFullYear() === new Date(now).getFullYear() ? day.format(date) : dayYear.format(date);
  return passedMs < 0 ? `in ${amount}` : `${amount}${nb}ago`;
}

function relativeAmount(seconds: number): string | null {
  if (seconds < 60) return `${Math.floor(seconds)}${nb}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${nb}min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${nb}h`;
  return seconds < 7 * 86_400 ? `${Math.floor(seconds / 86_400)}${nb}d` : null;
}

/** The part of an identifier that tells it from its neighbours; the part before it is the time. */
export const shortId = (id: string): string => id.slice(-8);

/** A message with a capital, unless it starts with a name that is written small, such as `crm.createLead`. */
export const toSentence = (message: string): string =>
  message.replace(/^[a-z]+(?=[\s,]|$)/, (word) => word.charAt(0).toUpperCase() + word.slice(1));

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)}${nb}${count === 1 ? one : many}`;
