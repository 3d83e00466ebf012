import type { ModelTestView } from "../api.ts";
import { formatCost, formatCount, formatDuration, toSentence } from "../format.ts";
import { limitWords } from "../gateway-words.ts";
import { StatusIcon } from "./status.tsx";

/** What one small call of a model showed. */
export function ModelTest({ test }: { readonly test: ModelTestView }) {
  return (
    <div
      data-testid="model-test"
      data-ok={test.ok}
      role="status"
      className={`flex items-start gap-2.5 rounded-md px-3 py-2 ${test.ok ? "bg-ok-soft" : "bg-fail-soft"}`}
    >
      <span className="pt-[3px]">
        <StatusIcon status={test.ok ? "succeeded" : "failed"} />
      </span>
      <div className="min-w-0 tabular-nums">
        {test.error ? (
          <>
            <p className="font-medium break-words">{toSentence(test.error.message)}</p>
            {test.error.hint !== undefined && <p className="break-words text-ink-2">{test.error.hint}</p>}
            <p className="font-mono text-xs text-ink-2">{test.error.code}</p>
          </>
        ) : (
          <p>
            <span className="font-medium">Answered in {formatDuration(test.latencyMs)}</span>,{" "}
            {test.costMicroUsd === null ? "price unknown" : `for ${formatCost(test.costMicroUsd)}`}
          </p>
        )}
        {test.limits.length > 0 && <p className="text-ink-2">{test.limits.map(limitSentence).join("; ")}</p>}
      </div>
    </div>
  );
}

/** A limit as the headers told it: `requests 59 of 60 left, full again in 1.0 s`. */
function limitSentence({ kind, limit, remaining, resetMs }: ModelTestView["limits"][number]): string {
  const name = limitWords[kind].toLowerCase();
  const left = remaining === null ? "" : `${formatCount(remaining)}${limit === null ? "" : " of"} `;
  const figures = limit === null ? `${left}left` : `${left}${formatCount(limit)}${remaining === null ? "" : " left"}`;
  return `${name} ${figures}${resetMs === null ? "" : `, full again in ${formatDuration(resetMs)}`}`;
}
