import { Box, BrainCircuit, Braces, ChevronRight, ListChecks, Radio, Send, Timer, Workflow } from "lucide-react";
import { clsx } from "clsx";
import { useState } from "react";
import type { RunDetailView, StepView } from "../api.ts";
import { formatDuration, toSentence } from "../format.ts";
import { countItems, itemsOf, shownStatus, type StepNode } from "../step-tree.ts";
import { segmentsOf } from "../timeline.ts";
import { itemsSentence, kindWords, shownWords } from "../words.ts";
import { Badge, SimulatedBadge } from "./badge.tsx";
import { StatusIcon } from "./status.tsx";
import { LazyStepDetail } from "./lazy-step-detail.tsx";
import { InnerSteps, opensByItself } from "./inner-steps.tsx";
import { SubflowLink } from "./subflow-link.tsx";
import { Bar } from "./timeline-bar.tsx";
import { indentPx, timelineGrid, type Timeline } from "./timeline-grid.ts";

const icons: { readonly [kind in StepView["kind"]]: typeof Send } = {
  ai: BrainCircuit,
  effect: Send,
  code: Braces,
  sleep: Timer,
  signal: Radio,
  map: ListChecks,
  item: Box,
  run: Workflow,
};

interface StepRowProps {
  readonly node: StepNode;
  /** How many steps it is inside of. */
  readonly depth: number;
  readonly timeline: Timeline;
}

/** A step. It opens to the steps inside it, where there are some, and otherwise to everything that is known of it. */
export function StepRow({ node, depth, timeline }: StepRowProps) {
  const { step, children } = node;
  const { run, now, scale } = timeline;
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? opensByItself(node, run);
  return (
    <li data-testid="step" data-step-name={step.name} data-step-status={step.status} data-step-path={step.path}>
      <div
        className={clsx("cursor-pointer hover:bg-hover", open && "bg-hover")}
        onClick={(event) => {
          const onLink = event.target instanceof Element && event.target.closest("a") !== null;
          if (!onLink) setChosen(!open);
        }}
      >
        <div className={timelineGrid}>
          <div className="min-w-0" style={{ paddingLeft: depth * indentPx }}>
            <StepName node={node} run={run} open={open} />
            <StepNote node={node} run={run} inside={depth > 0 && !open} />
          </div>
          <Bar segments={segmentsOf(node, now)} scale={scale} />
          <span className="text-right whitespace-nowrap text-ink-2 tabular-nums">
            {formatDuration(step.durationMs ?? now - Date.parse(step.startedAt))}
          </span>
        </div>
      </div>
      {open &&
        (children.length > 0 ? (
          <InnerSteps node={node} depth={depth} run={run}>
            {(child) => <StepRow key={child.step.path} node={child} depth={depth + 1} timeline={timeline} />}
          </InnerSteps>
        ) : (
          <LazyStepDetail step={step} run={run} depth={depth} />
        ))}
    </li>
  );
}

interface StepNameProps {
  readonly node: StepNode;
  readonly run: RunDetailView;
  readonly open: boolean;
}

function StepName({ node, run, open }: StepNameProps) {
  const { step } = node;
  const Icon = icons[step.kind];
  const status = shownStatus(node, run);
  const subflow = step.kind === "run" ? run.subflows.find(({ path }) => path === step.path) : undefined;
  return (
    <span className="flex min-h-8 min-w-0 items-center gap-2">
      <button type="button" aria-expanded={open} className="flex min-w-0 items-center gap-2 text-left">
        <ChevronRight
          size={14}
          className={clsx("-ml-1 shrink-0 text-ink-3 transition-transform", open && "rotate-90")}
        />
        <StatusIcon status={status} />
        <span className="sr-only">{shownWords[status]}: </span>
        <span title={kindWords[step.kind]} className="shrink-0 text-ink-3">
          <Icon size={14} strokeWidth={1.75} aria-label={kindWords[step.kind]} />
        </span>
        <span className="truncate font-medium">{step.name}</span>
      </button>
      {step.attempts.length > 1 && (
        <span className="shrink-0 text-xs text-ink-3" title={`${step.attempts.length} attempts`}>
          ×{step.attempts.length}
        </span>
      )}
      {subflow && <SubflowLink subflow={subflow} />}
      {step.aiCalls.some((call) => call.simulated) && <SimulatedBadge />}
      {step.receipt?.ruling && <Badge title="A person said what happened; see its receipt.">Answered</Badge>}
    </span>
  );
}

interface StepNoteProps {
  readonly node: StepNode;
  readonly run: RunDetailView;
  /** Whether it stands inside another step, and nothing else tells why it failed. */
  readonly inside: boolean;
}

const noteClass = "-mt-1.5 pb-1.5 pl-[58px] text-xs text-ink-2 tabular-nums";

/** A second line: how the items of a map stand, or why something inside a map failed. */
function StepNote({ node, run, inside }: StepNoteProps) {
  const { step } = node;
  if (step.kind === "map") {
    return (
      <p className={noteClass} data-testid="item-counts">
        {itemsSentence(countItems(node, itemsOf(node, run)))}
      </p>
    );
  }
  if (!inside || step.error === null || step.status !== "failed") return null;
  return (
    <p title={step.error.message} className={clsx(noteClass, "line-clamp-2 break-words")}>
      {toSentence(step.error.message)}
    </p>
  );
}
