import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import type { OverviewView, RunStatus } from "../api.ts";
import { formatCost, formatCount, formatMinutes, formatTokens, plural } from "../format.ts";
import { statusWords } from "../words.ts";
import { Figure } from "./figure.tsx";
import { StatusIcon } from "./status.tsx";

const order = [
  "failed",
  "in_doubt",
  "running",
  "waiting",
  "queued",
  "succeeded",
  "cancelled",
] as const satisfies RunStatus[];

const barTones: { readonly [status in RunStatus]: string } = {
  failed: "bg-fail",
  in_doubt: "bg-doubt",
  running: "bg-accent",
  waiting: "bg-wait",
  queued: "bg-line-strong",
  succeeded: "bg-ok",
  cancelled: "bg-ink-3",
};

/** Runs by state: a bar of shares, and each state as a way to its runs. */
function RunsByState({ counts }: { readonly counts: OverviewView["counts"] }) {
  const present = order.filter((status) => (counts[status] ?? 0) > 0);
  const total = present.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  return (
    <div className="col-span-full bg-surface px-4 py-3">
      <div className="flex items-baseline justify-between gap-4">
        <span className="text-xs text-ink-3">Runs</span>
        <span className="text-xs text-ink-2 tabular-nums">{formatCount(total)} in all</span>
      </div>
      <div aria-hidden="true" className="my-2 flex h-1.5 gap-px overflow-hidden rounded-full bg-hover">
        {present.map((status) => (
          <span key={status} className={clsx("min-w-1", barTones[status])} style={{ flexGrow: counts[status] ?? 0 }} />
        ))}
      </div>
      <ul className="flex flex-wrap gap-x-5 gap-y-1">
        {present.map((status) => (
          <li key={status}>
            <Link to="/runs" search={{ status }} className="inline-flex items-center gap-1.5 hover:underline">
              <StatusIcon status={status} size={12} />
              <span className="text-ink-2">{statusWords[status]}</span>
              <span className="font-medium tabular-nums">{formatCount(counts[status] ?? 0)}</span>
            </Link>
          </li>
        ))}
        {total === 0 && <li className="text-ink-2">None yet.</li>}
      </ul>
    </div>
  );
}

/** The figures of the last day. */
export function Figures({ overview }: { readonly overview: OverviewView }) {
  const { ai } = overview;
  const refused = overview.refusals.reduce((sum, refusal) => sum + refusal.count, 0);
  return (
    <div className="grid grid-cols-2 gap-px bg-line lg:grid-cols-5">
      <RunsByState counts={overview.counts} />
      <Figure
        label="AI calls"
        value={formatCount(ai.calls)}
        note={ai.failed > 0 ? `${formatCount(ai.failed)} failed` : "none failed"}
      />
      <Figure
        label="Tokens"
        value={formatTokens(ai.inputTokens + ai.outputTokens)}
        note={`${formatTokens(ai.inputTokens)} in, ${formatTokens(ai.outputTokens)} out`}
      />
      <Figure
        label="AI cost"
        value={ai.unpriced > 0 && ai.unpriced === ai.calls ? "Unknown" : formatCost(ai.costMicroUsd)}
        note={ai.unpriced > 0 ? `${plural(ai.unpriced, "call")} without a known price` : "every call priced"}
      />
      <Figure label="Work saved" value={formatMinutes(overview.minutesSaved)} note="by runs that succeeded" />
      <div className="max-lg:col-span-2">
        <Figure
          label="Refused deliveries"
          value={formatCount(refused)}
          note={
            overview.duplicates > 0
              ? `${plural(overview.duplicates, "repeat")} suppressed besides`
              : "no repeat came in"
          }
        />
      </div>
    </div>
  );
}
