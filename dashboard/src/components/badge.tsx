import { clsx } from "clsx";
import type { ReactNode } from "react";

const tones = {
  neutral: "border-line-strong text-ink-2",
  accent: "border-transparent bg-accent-soft text-accent",
  doubt: "border-dashed border-doubt text-doubt",
  wait: "border-transparent bg-wait-soft text-wait",
  fail: "border-transparent bg-fail-soft text-fail",
  ok: "border-transparent bg-ok-soft text-ok",
} as const;

interface BadgeProps {
  readonly tone?: keyof typeof tones;
  readonly title?: string;
  readonly children: ReactNode;
}

export function Badge({ tone = "neutral", title, children }: BadgeProps) {
  return (
    <span
      title={title}
      className={clsx(
        "inline-flex h-[18px] shrink-0 items-center rounded border px-1.5 text-xs/[16px] font-medium whitespace-nowrap",
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}

/** Stands wherever an answer of the simulated model stands. */
export const SimulatedBadge = () => (
  <Badge tone="doubt" title="The simulated model answered: by fixed rules, without any provider.">
    SIMULATED
  </Badge>
);

/** Stands where a run was started with a sample instead of a real delivery. */
export const SampleBadge = () => (
  <Badge tone="accent" title="Started with a sample, not by a real delivery.">
    Sample
  </Badge>
);
