import { clsx } from "clsx";
import type { ReactNode } from "react";

interface GaugeProps {
  readonly label: ReactNode;
  /** The figures in words, such as `42 of 60`. */
  readonly value: ReactNode;
  /** How full it is: 1 is full, more is over. */
  readonly share: number;
  /** How much of the end is kept for others, 0 to 1. Default: nothing. */
  readonly reserved?: number;
  readonly title?: string;
}

/** From so much on, an eye should fall on it. */
const nearlyFull = 0.8;

/** How much of something is used: its figures, and a bar that changes its colour near the end. */
export function Gauge({ label, value, share, reserved = 0, title }: GaugeProps) {
  const full = share >= 1;
  return (
    <div className="min-w-0" title={title}>
      <div className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 truncate text-ink-2">{label}</span>
        <span className={clsx("whitespace-nowrap tabular-nums", full && "font-medium text-fail")}>{value}</span>
      </div>
      <div aria-hidden="true" className="relative mt-1 h-1.5 overflow-hidden rounded-full bg-line">
        {reserved > 0 && (
          <span
            className="bar-reserved absolute inset-y-0 right-0 border-l border-line-strong"
            style={{ width: `${reserved * 100}%` }}
          />
        )}
        <span
          className={clsx(
            "absolute inset-y-0 left-0 rounded-full",
            full ? "bg-fail" : share >= nearlyFull ? "bg-doubt" : "bg-accent",
          )}
          style={{ width: `${Math.min(1, share) * 100}%` }}
        />
      </div>
    </div>
  );
}
