import { clsx } from "clsx";
import { useLiveState, type LiveState } from "../live.ts";

const words: { readonly [state in LiveState]: { label: string; title: string } } = {
  connecting: { label: "Connecting", title: "Opening the stream of changes." },
  live: { label: "Live", title: "Changes are shown as they happen." },
  lost: { label: "Connection lost", title: "What is shown may be old. Trying to connect again every few seconds." },
};

/** Whether what is shown is the present state. */
export function LiveIndicator() {
  const state = useLiveState();
  return (
    <span role="status" title={words[state].title} className="inline-flex items-center gap-2 text-xs text-ink-2">
      <svg viewBox="0 0 8 8" width="8" height="8" aria-hidden="true">
        <circle
          cx="4"
          cy="4"
          r="3"
          strokeWidth="1.5"
          className={clsx(
            state === "live" && "fill-ok stroke-ok",
            state === "connecting" && "fill-transparent stroke-ink-3",
            state === "lost" && "fill-transparent stroke-fail",
          )}
        />
      </svg>
      <span className={clsx(state === "lost" && "font-medium text-fail")}>{words[state].label}</span>
    </span>
  );
}
