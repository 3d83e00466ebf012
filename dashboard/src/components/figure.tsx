import type { ReactNode } from "react";

interface FigureProps {
  readonly label: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
}

/** A number that a page is read for, with what it is and what to know about it. */
export function Figure({ label, value, note }: FigureProps) {
  return (
    <div className="bg-surface px-4 py-3">
      <div className="text-xs text-ink-3">{label}</div>
      <div className="mt-1 text-xl font-semibold tracking-[-0.015em] tabular-nums">{value}</div>
      <div className="mt-0.5 min-h-4 text-xs text-ink-2">{note}</div>
    </div>
  );
}
