import { clsx } from "clsx";
import { formatDuration } from "../format.ts";
import type { Segment, SegmentKind, TimeScale } from "../timeline.ts";

const looks: { readonly [kind in SegmentKind]: { readonly bar: string; readonly label: string } } = {
  ai: { bar: "bar-ai", label: "AI call" },
  effect: { bar: "bar-effect", label: "Effect" },
  code: { bar: "bar-code", label: "Own code" },
  failed: { bar: "bar-failed", label: "Failed attempt" },
  queue: { bar: "bar-queue", label: "In the queue" },
  retry: { bar: "bar-retry", label: "Wait before a retry" },
  limit: { bar: "bar-limit", label: "Waiting for room in a limit" },
  budget: { bar: "bar-budget", label: "Waiting for a budget" },
  batch: { bar: "bar-batch", label: "Waiting for a batch" },
  circuit: { bar: "bar-circuit", label: "Waiting for the provider" },
  person: { bar: "bar-person", label: "Waiting for a person" },
  held: { bar: "bar-held", label: "Waited before it was sent" },
  sleep: { bar: "bar-sleep", label: "Sleep" },
  signal: { bar: "bar-signal", label: "Waiting for a signal" },
  run: { bar: "bar-run", label: "In another run" },
  span: { bar: "bar-span", label: "First to last item" },
  inner: { bar: "bar-inner", label: "Work on items" },
  idle: { bar: "bar-idle", label: "Stood still until resumed" },
};

/** One row's bar, over the marks of the scale. */
export function Bar({ segments, scale }: { readonly segments: readonly Segment[]; readonly scale: TimeScale }) {
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
            title={`${looks[kind].label}, ${formatDuration(to - from)}`}
            className={clsx(
              "absolute top-1/2 h-2.5 min-w-[3px] -translate-y-1/2",
              kind !== "span" && "rounded-[2px]",
              looks[kind].bar,
            )}
            style={{ left: `min(${left * 100}%, 100% - 3px)`, width: `${(scale.place(to) - left) * 100}%` }}
          />
        );
      })}
    </span>
  );
}

/** What the looks of the bars mean. */
export function Legend({ kinds }: { readonly kinds: readonly SegmentKind[] }) {
  return (
    <ul className="flex flex-wrap gap-x-5 gap-y-1 border-t border-line px-4 py-2 text-xs text-ink-2">
      {kinds.map((kind) => (
        <li key={kind} className="flex items-center gap-2">
          <span className={clsx("h-2.5 w-5", kind !== "span" && "rounded-[2px]", looks[kind].bar)} />
          {looks[kind].label}
        </li>
      ))}
    </ul>
  );
}
