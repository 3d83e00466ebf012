import { clsx } from "clsx";
import type { RunDetailView } from "../api.ts";
import { formatDuration } from "../format.ts";
import { treeOf, type StepNode } from "../step-tree.ts";
import { createTimeScale, queueSegment, segmentsOf, type Segment, type TimeScale } from "../timeline.ts";
import { EmptyState, Panel } from "./panel.tsx";
import { StepRow } from "./step-row.tsx";
import { useRunClock } from "./time.tsx";
import { Bar, Legend } from "./timeline-bar.tsx";
import { timelineGrid } from "./timeline-grid.ts";

/** A queue wait shorter than this is how long a start takes, and not shown as a wait. */
const shownQueueMs = 50;

/** The pieces of all steps, those inside others too: the scale shows where any of them worked. */
const allSegments = (nodes: readonly StepNode[], now: number): Segment[] =>
  nodes.flatMap((node) => [...segmentsOf(node, now), ...allSegments(node.children, now)]);

/** Where the time of a run went: one row a step, each opening to what is inside it, or to everything that is known of it. */
export function Waterfall({ run }: { readonly run: RunDetailView }) {
  const now = useRunClock(run.finishedAt);
  const queue = queueSegment(run, now);
  const steps = treeOf(run.steps);
  const all = [queue, ...allSegments(steps, now)];
  const end = all.reduce((latest, { to }) => Math.max(latest, to), now);
  const scale = createTimeScale(all, queue.from, end);
  const showsQueue = queue.to - queue.from >= shownQueueMs;
  if (steps.length === 0 && !showsQueue) {
    return (
      <Panel title="Timeline">
        <EmptyState title="No step is recorded yet.">Steps appear here as the run does them.</EmptyState>
      </Panel>
    );
  }
  return (
    <Panel>
      <Axis scale={scale} />
      <ol className="divide-y divide-line">
        {showsQueue && <QueueRow segment={queue} scale={scale} />}
        {steps.map((node) => (
          <StepRow key={node.step.path} node={node} depth={0} timeline={{ run, now, scale }} />
        ))}
      </ol>
      <Legend kinds={[...new Set(all.map(({ kind }) => kind))].filter((kind) => kind !== "queue" || showsQueue)} />
    </Panel>
  );
}

function QueueRow({ segment, scale }: { readonly segment: Segment; readonly scale: TimeScale }) {
  return (
    <li className={timelineGrid}>
      <span className="pl-[22px] text-ink-3">In the queue</span>
      <Bar segments={[segment]} scale={scale} />
      <span className="text-right text-ink-2 tabular-nums">{formatDuration(segment.to - segment.from)}</span>
    </li>
  );
}

/** The heading of the timeline, with the marks of its scale. */
function Axis({ scale }: { readonly scale: TimeScale }) {
  return (
    <header className={clsx(timelineGrid, "!min-h-10 border-b border-line")}>
      <h2 className="font-medium">Timeline</h2>
      <span aria-hidden="true" className="relative block h-4 text-xs text-ink-3 tabular-nums max-md:!hidden">
        {scale.ticks.map(({ at, elapsedMs }) => (
          <span
            key={at}
            className={clsx(
              "absolute whitespace-nowrap",
              at > 0.94 ? "-translate-x-full" : at > 0.02 && "-translate-x-1/2",
            )}
            style={{ left: `${at * 100}%` }}
          >
            {elapsedMs === 0 ? "0" : formatDuration(elapsedMs)}
          </span>
        ))}
        {scale.breaks.map(({ at, lengthMs }) => (
          <span
            key={at}
            title="A long wait, drawn shorter than it was"
            className="absolute -translate-x-1/2 whitespace-nowrap"
            style={{ left: `${at * 100}%` }}
          >
            {`// ${formatDuration(lengthMs)} //`}
          </span>
        ))}
      </span>
      <span aria-hidden="true" />
    </header>
  );
}
