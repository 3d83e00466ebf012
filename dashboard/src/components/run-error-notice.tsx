import { clsx } from "clsx";
import type { RunError } from "../api.ts";
import { JsonView } from "./json-view.tsx";
import { StatusIcon } from "./status.tsx";

/** An error that a run or a step keeps: what to do stands above what happened. */
export function RunErrorNotice({ error, doubt = false }: { readonly error: RunError; readonly doubt?: boolean }) {
  return (
    <div className={clsx("flex items-start gap-2.5 rounded-md px-3 py-2.5", doubt ? "bg-doubt-soft" : "bg-fail-soft")}>
      <span className="pt-[3px]">
        <StatusIcon status={doubt ? "in_doubt" : "failed"} />
      </span>
      <div className="min-w-0 flex-1">
        {error.hint !== undefined && <p className="font-medium break-words">{error.hint}</p>}
        <p className={clsx("break-words", error.hint === undefined ? "font-medium" : "mt-0.5 text-ink-2")}>{error.message}</p>
        <p className="mt-0.5 font-mono text-xs text-ink-3">{error.code}</p>
        {error.details !== undefined && error.details !== null && (
          <JsonView value={error.details} label="details" className="mt-2 bg-surface" />
        )}
      </div>
    </div>
  );
}
