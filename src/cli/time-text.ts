/** A duration as people read it: `340 ms`, `2.1 s`, `4 min 10 s`, `3 h 20 min`, `2 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_500) return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, "min", "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return pair(minutes, 60, "h", "min");
  return pair(Math.round(minutes / 60), 24, "d", "h");
}

function pair(count: number, size: number, largeUnit: string, smallUnit: string): string {
  const small = count % size;
  return `${Math.floor(count / size)} ${largeUnit}${small === 0 ? "" : ` ${small} ${smallUnit}`}`;
}

/** How long ago something was: `just now`, `12 s ago`, `5 min ago`; from a day on, the date and time. */
export function agoText(date: Date, now: Date): string {
  const seconds = Math.floor((now.getTime() - date.getTime()) / 1000);
  if (seconds < 2) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return timeText(date).slice(0, -3);
}

/** Date and time of this machine's time zone: `2026-03-09 14:05:33`. */
export function timeText(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace("T", " ");
}
