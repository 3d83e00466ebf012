import { clsx } from "clsx";
import type { RunStatus } from "../api.ts";
import type { ShownStatus } from "../step-tree.ts";
import { statusWords } from "../words.ts";

/** Each state has a shape of its own: ring, arc, bars, tick in a ring, cross in an octagon, slashed ring, diamond, turned arrow. */
const shapes: { readonly [status in ShownStatus]: { readonly tone: string; readonly drawing: React.ReactNode } } = {
  queued: {
    tone: "text-ink-3",
    drawing: (
      <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="1.6 2.5" />
    ),
  },
  running: {
    tone: "text-accent",
    drawing: (
      <g className="turning">
        <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.5" opacity="0.3" />
        <path
          d="M7 1.8A5.2 5.2 0 0 1 12.2 7"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
        />
      </g>
    ),
  },
  waiting: {
    tone: "text-wait",
    drawing: <path d="M3.2 2h2.6v10H3.2zM8.2 2h2.6v10H8.2z" fill="currentColor" />,
  },
  succeeded: {
    tone: "text-ok",
    drawing: (
      <>
        <circle cx="7" cy="7" r="5.6" fill="none" stroke="currentColor" strokeWidth="1.1" opacity="0.55" />
        <path d="m4.4 7.2 1.9 1.9 3.4-3.8" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
      </>
    ),
  },
  failed: {
    tone: "text-fail",
    drawing: (
      <>
        <path d="M4.4.9h5.2l3.5 3.5v5.2l-3.5 3.5H4.4L.9 9.6V4.4z" fill="currentColor" />
        <path d="m4.9 4.9 4.2 4.2m0-4.2L4.9 9.1" className="stroke-surface" strokeWidth="1.6" strokeLinecap="round" />
      </>
    ),
  },
  cancelled: {
    tone: "text-ink-3",
    drawing: (
      <path
        d="M2.4 11.6 11.6 2.4M7 1.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 7 1.8z"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
      />
    ),
  },
  in_doubt: {
    tone: "text-doubt",
    drawing: (
      <>
        <path d="M7 .2 13.8 7 7 13.8.2 7z" fill="currentColor" />
        <path
          d="M5.5 5.6c.1-2 3-1.9 3 0 0 1-1.5 1.2-1.5 2.3"
          fill="none"
          className="stroke-surface"
          strokeWidth="1.2"
          strokeLinecap="round"
        />
        <circle cx="7" cy="9.9" r=".8" className="fill-surface" />
      </>
    ),
  },
  reopened: {
    tone: "text-ink-2",
    drawing: (
      <path
        d="M2 7a5 5 0 1 0 1.6-3.7M3.2.9v2.7h2.7"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
      />
    ),
  },
};

export function StatusIcon({ status, size = 14 }: { readonly status: ShownStatus; readonly size?: number }) {
  return (
    <svg
      viewBox="0 0 14 14"
      width={size}
      height={size}
      aria-hidden="true"
      className={clsx("shrink-0", shapes[status].tone)}
    >
      {shapes[status].drawing}
    </svg>
  );
}

/** The state of a run. What needs a person stands on a tint; the rest stays quiet. */
export function StatusPill({ status }: { readonly status: RunStatus }) {
  return (
    <span
      data-testid="run-status"
      data-status={status}
      className={clsx(
        "inline-flex h-6 items-center gap-1.5 rounded-md pr-2 whitespace-nowrap",
        status === "failed" && "bg-fail-soft pl-1.5 font-medium text-fail",
        status === "in_doubt" && "bg-doubt-soft pl-1.5 font-medium text-doubt",
        status !== "failed" && status !== "in_doubt" && "pl-1.5 text-ink-2",
      )}
    >
      <StatusIcon status={status} />
      {statusWords[status]}
    </span>
  );
}
