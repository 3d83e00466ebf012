import { BrainCircuit, Braces, ChevronRight, Radio, Send, Timer } from "lucide-react";
import { clsx } from "clsx";
import { useState, type ReactNode } from "react";
import type { StepView } from "../api.ts";
import { formatDuration } from "../format.ts";
import { kindWords } from "../words.ts";
import { SimulatedBadge } from "./badge.tsx";
import { StatusIcon } from "./status.tsx";
import { StepDetail } from "./step-detail.tsx";

/** The columns of the timeline: name, bar, duration. On a phone the bar goes under the name. */
export const timelineGrid =
  "grid min-h-8 grid-cols-[minmax(0,1fr)_88px] items-center gap-x-4 px-4 max-md:py-1.5 md:grid-cols-[minmax(0,288px)_minmax(0,1fr)_88px] max-md:[&>:nth-child(2)]:order-last max-md:[&>:nth-child(2)]:col-span-2";

const icons: { readonly [kind in StepView["kind"]]: typeof Send } = {
  ai: BrainCircuit,
  effect: Send,
  code: Braces,
  sleep: Timer,
  signal: Radio,
};

/** A failed step of which nobody knows whether its effect was done is in doubt; one that its run left behind is cancelled. */
function shownStatus(step: StepView, ended: boolean): StepView["status"] | "in_doubt" | "cancelled" {
  if (step.status === "failed") return step.receipt?.state === "unknown" ? "in_doubt" : "failed";
  return ended && step.finishedAt === null ? "cancelled" : step.status;
}

interface StepRowProps {
  readonly step: StepView;
  /** The present time; once the run has ended, when it did. */
  readonly now: number;
  /** Whether the run has ended: a step that has not will not. */
  readonly ended: boolean;
  /** Whether it stands open before anyone has clicked. */
  readonly opened: boolean;
  readonly bar: ReactNode;
}

export function StepRow({ step, now, ended, opened, bar }: StepRowProps) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? opened;
  const Icon = icons[step.kind];
  return (
    <li data-testid="step" data-step-name={step.name} data-step-status={step.status}>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setChosen(!open)}
        className={clsx(timelineGrid, "w-full text-left hover:bg-hover", open && "bg-hover")}
      >
        <span className="flex min-w-0 items-center gap-2">
          <ChevronRight
            size={14}
            className={clsx("-ml-1 shrink-0 text-ink-3 transition-transform", open && "rotate-90")}
          />
          <StatusIcon status={shownStatus(step, ended)} />
          <span title={kindWords[step.kind]} className="shrink-0 text-ink-3">
            <Icon size={14} strokeWidth={1.75} aria-label={kindWords[step.kind]} />
          </span>
          <span className="truncate font-medium">{step.name}</span>
          {step.attempts.length > 1 && (
            <span className="shrink-0 text-xs text-ink-3" title={`${step.attempts.length} attempts`}>
              ×{step.attempts.length}
            </span>
          )}
          {step.aiCalls.some((call) => call.simulated) && <SimulatedBadge />}
        </span>
        {bar}
        <span className="text-right whitespace-nowrap text-ink-2 tabular-nums">
          {formatDuration(step.durationMs ?? now - Date.parse(step.startedAt))}
        </span>
      </button>
      {open && <StepDetail step={step} ended={ended} />}
    </li>
  );
}
