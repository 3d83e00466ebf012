import { clsx } from "clsx";
import type { RunError } from "../api.ts";
import { toSentence } from "../format.ts";
import { JsonView } from "./json-view.tsx";
import { StatusIcon } from "./status.tsx";

interface RunErrorNoticeProps {
  readonly error: RunError;
  /** Inside the timeline: without a tint, and with all that the error carries. */
  readonly detailed?: boolean;
}

/** An error that a run or a step keeps: what happened, and what to do. */
export function RunErrorNotice({ error, detailed = false }: RunErrorNoticeProps) {
  const doubt = error.code === "EFFECT_IN_DOUBT";
  const details = detailed ? error.details : undefined;
  return (
    <div
      className={clsx(
        "flex items-start gap-2.5",
        !detailed && "rounded-lg px-4 py-3",
        !detailed && (doubt ? "bg-doubt-soft" : "bg-fail-soft"),
      )}
    >
      <span className="pt-[3px]">
        <StatusIcon status={doubt ? "in_doubt" : "failed"} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words">{toSentence(error.message)}</p>
        {error.hint !== undefined && <p className="mt-0.5 break-words">{error.hint}</p>}
        <p className="mt-0.5 font-mono text-xs text-ink-2">{error.code}</p>
        {details !== undefined && details !== null && (
          <JsonView value={details} label="details" className="mt-2 bg-surface" />
        )}
      </div>
    </div>
  );
}
