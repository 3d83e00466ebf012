import { clsx } from "clsx";
import type { RunDetailView } from "../api.ts";
import { formatDuration } from "../format.ts";
import {
  createTimeScale,
  queueSegment,
  segmentsOf,
  type Segment,
  type SegmentKind,
  type TimeScale,
} from "../timeline.ts";
import { EmptyState, Panel } from "./panel.tsx";
import { StepRow, timelineGrid } from "./step-row.tsx";
import { useRunClock } from "./time.tsx";

const segmentLooks: { readonly [kind in SegmentKind]: { readonly bar: string; readonly label: string } } = {
  ai: { bar: "bar-ai", label: "AI call" },
  effect: { bar: "bar-effect", label: "Effect" },
  code: { bar: "bar-code", label: "Own code" },
  failed: { bar: "bar-failed", label: "Failed attempt" },
  queue: { bar: "bar-queue", label: "In the queue" },
  retry: { bar: "bar-retry", label: "Wait before a retry" },
  limit: { bar: "bar-limit", label: "Asked to slow down" },
  sleep: { bar: "bar-sleep", label: "Sleep" },
  signal: { bar: "bar-signal", label: "Waiting for a signal" },
  idle: { bar: "bar-idle", label: "Stood still until resumed" },
};

/** A queue wait shorter than this is how long a start takes, and not shown as a wait. */
const shownQueueMs = 50;

/** Where the time of a run went: one row a step, each opening to everything that is known of it. */
export function Waterfall({ run }: { readonly run: RunDetailView }) {
  const now = useRunClock(run.finishedAt);
  const queue = queueSegment(run, now);
  const rows = run.steps.map((step) => ({ step, segments: segmentsOf(step, now) }));
  const all = [queue, ...rows.flatMap(({ segments }) => segments)];
  const scale = createTimeScale(all, queue.from, Math.max(now, ...all.map(({ to }) => to)));
  const showsQueue = queue.to - queue.from >= shownQueueMs;
  if (run.steps.length === 0 && !showsQueue) {
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
        {rows.map(({ step, segments }) => (
          <StepRow
            key={step.path}
            step={step}
            now={now}
            ended={run.finishedAt !== null}
            opened={run.status !== "succeeded" && step.path === run.failedStep}
            bar={<Bar segments={segments} scale={scale} />}
          />
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

/** One row's bar, over the marks of the scale. */
function Bar({ segments, scale }: { readonly segments: readonly Segment[]; readonly scale: TimeScale }) {
  return (
    <span className="relative block h-full min-h-5">
      {scale.ticks.map(({ at }) => (
        <span key={at} className="absolute inset-y-0 w-px bg-line" style={{ left: `${at * 100}%` }} />
      ))}
      {segments.map(({ kind, from, to }) => {
        const left = scale.place(from);
        return (
          <span
            key={`${kind} ${from}`}
            title={`${segmentLooks[kind].label}, ${formatDuration(to - from)}`}
            className={clsx(
              "absolute top-1/2 h-2.5 min-w-[3px] -translate-y-1/2 rounded-[2px]",
              segmentLooks[kind].bar,
            )}
            style={{ left: `min(${left * 100}%, 100% - 3px)`, width: `${(scale.place(to) - left) * 100}%` }}
          />
        );
      })}
    </span>
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

function Legend({ kinds }: { readonly kinds: readonly SegmentKind[] }) {
  return (
    <ul className="flex flex-wrap gap-x-5 gap-y-1 border-t border-line px-4 py-2 text-xs text-ink-2">
      {kinds.map((kind) => (
        <li key={kind} className="flex items-center gap-2">
          <span className={clsx("h-2.5 w-5 rounded-[2px]", segmentLooks[kind].bar)} />
          {segmentLooks[kind].label}
        </li>
      ))}
    </ul>
  );
}
