import { ChevronRight } from "lucide-react";
import { clsx } from "clsx";
import { useState, type ReactNode } from "react";
import type { RunDetailView } from "../api.ts";
import { formatCount, plural } from "../format.ts";
import { itemsOf, shownStatus, type StepNode } from "../step-tree.ts";
import { LazyStepDetail } from "./lazy-step-detail.tsx";
import { indentPx } from "./timeline-grid.ts";

/** A map of more items stays folded, except for those of its items that keep the run from going on. */
const openItems = 10;
/** How many items are shown at a click: a map of a thousand must stay quick. */
const pageSize = 25;

const troubled = (map: StepNode): number => map.children.filter(({ step }) => step.status === "failed").length;

/** Whether a step stands open before anyone has clicked: the one that failed its run, and a map that is short, or whose items failed. */
export function opensByItself(node: StepNode, run: RunDetailView): boolean {
  const { question, status, failedStep } = run;
  const { path, kind } = node.step;
  if (question?.stepPath.startsWith(`${path}.`)) return true;
  // A question tells all that its step does.
  if (kind !== "map") return status !== "succeeded" && path === failedStep && question === null;
  return node.children.length <= openItems || (status !== "succeeded" && troubled(node) > 0);
}

interface InnerStepsProps {
  readonly node: StepNode;
  readonly depth: number;
  readonly run: RunDetailView;
  /** Draws a step as a row. */
  readonly children: (step: StepNode) => ReactNode;
}

/** The steps inside a step, and below them what is known of itself. */
export function InnerSteps({ node, depth, run, children: draw }: InnerStepsProps) {
  const isMap = node.step.kind === "map";
  const inside = isMap ? itemsOf(node, run).map((item) => item.node) : node.children;
  const first = inside.length <= openItems || !isMap ? inside.length : Math.min(troubled(node), openItems);
  // What fails while a person reads comes on top; what was shown stays shown.
  const [more, setMore] = useState(0);
  const shown = first + more || pageSize;
  return (
    <div className="border-t border-line">
      <ol className="divide-y divide-line">{inside.slice(0, shown).map(draw)}</ol>
      {inside.length > shown && (
        <Line depth={depth}>
          <button
            type="button"
            data-testid="more-items"
            onClick={() => setMore(shown - first + pageSize)}
            className="text-accent hover:underline"
          >
            Show {formatCount(Math.min(pageSize, inside.length - shown))} more of{" "}
            {plural(inside.length - shown, "other")}
          </button>
        </Line>
      )}
      <OwnDetail node={node} depth={depth} run={run} />
    </div>
  );
}

function Line({ depth, children }: { readonly depth: number; readonly children: ReactNode }) {
  return (
    <div className="border-t border-line px-4 py-1.5" style={{ paddingLeft: (depth + 1) * indentPx + 34 }}>
      {children}
    </div>
  );
}

const names = { map: "the map itself", item: "the item itself" } as const;

function OwnDetail({
  node,
  depth,
  run,
}: {
  readonly node: StepNode;
  readonly depth: number;
  readonly run: RunDetailView;
}) {
  const [open, setOpen] = useState(false);
  const { step } = node;
  // While it is under way there is nothing to tell of it but the steps inside.
  if (step.finishedAt === null || shownStatus(node, run) === "cancelled") return null;
  return (
    <>
      <Line depth={depth}>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="-ml-[18px] inline-flex items-center gap-1 text-ink-2 hover:text-ink"
        >
          <ChevronRight size={14} className={clsx("text-ink-3 transition-transform", open && "rotate-90")} />
          What is recorded of {step.kind === "map" || step.kind === "item" ? names[step.kind] : step.name}
        </button>
      </Line>
      {open && <LazyStepDetail step={step} run={run} depth={depth + 1} />}
    </>
  );
}
