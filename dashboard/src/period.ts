import type { Period } from "./gateway-api.ts";

/*
 * Stretches of whole days of UTC, as budgets count them.
 */

/** The stretches that costs are told of. */
export const periods = [
  { id: "today", label: "Today", days: 1 },
  { id: "week", label: "7 days", days: 7 },
  { id: "days", label: "30 days", days: 30 },
  { id: "month", label: "This month", days: null },
] as const;

export type PeriodId = (typeof periods)[number]["id"];

const dayMs = 86_400_000;
const startOfDay = (time: number): number => Math.floor(time / dayMs) * dayMs;

/** From the start of a day up to the end of today. The same all day long. */
export function periodOf(id: PeriodId, now: number): Period {
  const today = startOfDay(now);
  const days = periods.find((period) => period.id === id)?.days ?? new Date(now).getUTCDate();
  return { from: new Date(today - (days - 1) * dayMs), to: new Date(today + dayMs) };
}

/** The days of a period as `2026-03-09`, in order. */
export function daysOf({ from, to }: Period): string[] {
  const days: string[] = [];
  for (let at = startOfDay(from.getTime()); at < to.getTime(); at += dayMs)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}
