import { SluiceError } from "./errors.ts";

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time: whole milliseconds as a number, or a number with a unit, such as `"250ms"`, `"30s"`, `"5m"`, `"12h"`, `"7d"`. */
export type Duration = number | `${number}${keyof typeof unitMs}`;

/**
 * Gives a duration in whole milliseconds.
 *
 * @throws CONFIG_INVALID when it is negative, not finite, or has no known unit.
 */
export function toMs(duration: Duration): number {
  const match = typeof duration === "number" ? undefined : /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
  const ms =
    typeof duration === "number" ? duration : match ? Number(match[1]) * unitMs[match[2] as keyof typeof unitMs] : NaN;
  if (Number.isFinite(ms) && ms >= 0) return Math.round(ms);
  throw new SluiceError("CONFIG_INVALID", {
    message: `duration ${JSON.stringify(duration)} is not understood`,
    hint: 'Write milliseconds as a number, or a number with ms, s, m, h or d: 1500, "30s", "5m", "7d".',
  });
}

/** Writes milliseconds for people: `340 ms`, `2.4 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatMs(ms: number): string {
  // Rounded before it is split, so that no part is ever full: 2 min 0 s, not 1 min 60 s.
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(ms / 60_000);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
