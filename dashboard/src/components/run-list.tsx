import { Link, useNavigate } from "@tanstack/react-router";
import type { Json, RunView } from "../api.ts";
import { formatDuration, plural, shortId, toSentence } from "../format.ts";
import { Badge, SampleBadge, SimulatedBadge } from "./badge.tsx";
import { StatusPill } from "./status.tsx";
import { RelativeTime, useNow } from "./time.tsx";

interface RunListProps {
  readonly runs: readonly RunView[];
  /** Leaves the flow's name out where all runs are of one. */
  readonly withFlow?: boolean;
}

/** Runs as rows of 32 px; a row is opened by a click anywhere on it, or by its link. */
export function RunList({ runs, withFlow = true }: RunListProps) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full table-fixed">
        <thead className="sr-only md:not-sr-only">
          <tr className="h-8 border-b border-line text-left text-xs text-ink-3">
            <th className="w-[116px] pl-4 font-medium">Status</th>
            {withFlow && <th className="w-[176px] px-3 font-medium max-md:w-auto">Flow</th>}
            <th className="w-[104px] px-3 font-medium max-md:hidden">Run</th>
            <th className="px-3 font-medium max-md:hidden">Outcome</th>
            <th className="w-[96px] px-3 text-right font-medium max-md:hidden">Duration</th>
            <th className="w-[104px] pr-4 pl-3 text-right font-medium">Received</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {runs.map((run) => (
            <RunRow key={run.id} run={run} withFlow={withFlow} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RunRow({ run, withFlow }: { readonly run: RunView; readonly withFlow: boolean }) {
  const navigate = useNavigate();
  const to = { to: "/runs/$id", params: { id: run.id } } as const;
  return (
    <tr
      data-testid="run-row"
      data-run-id={run.id}
      className="h-8 cursor-pointer hover:bg-hover"
      onClick={(event) => {
        const onLink = event.target instanceof Element && event.target.closest("a, button") !== null;
        const selecting = window.getSelection()?.isCollapsed === false;
        if (!onLink && !selecting) void navigate(to);
      }}
    >
      <td className="w-[116px] pl-2.5">
        <StatusPill status={run.status} />
      </td>
      {withFlow && (
        <td className="px-3">
          <Link {...to} className="block truncate font-medium md:hidden">
            {run.flow}
          </Link>
          <span className="block truncate max-md:hidden">{run.flow}</span>
        </td>
      )}
      <td className={withFlow ? "px-3 max-md:hidden" : "px-3"}>
        <Link {...to} title={run.id} className="font-mono text-xs text-accent hover:underline">
          {shortId(run.id)}
        </Link>
      </td>
      <td className="px-3 max-md:hidden">
        <Outcome run={run} />
      </td>
      <td className="px-3 text-right text-ink-2 tabular-nums max-md:hidden">
        <Elapsed run={run} />
      </td>
      <td className="w-[104px] pr-4 pl-3 text-right text-ink-2">
        <RelativeTime at={run.queuedAt} />
      </td>
    </tr>
  );
}

function Elapsed({ run }: { readonly run: RunView }) {
  if (run.durationMs !== null) return formatDuration(run.durationMs);
  return <Running since={run.queuedAt} />;
}

function Running({ since }: { readonly since: string }) {
  return <span className="text-ink-3">{formatDuration(useNow() - Date.parse(since))}</span>;
}

function Outcome({ run }: { readonly run: RunView }) {
  return (
    <div className="flex min-w-0 items-center gap-2">
      {run.sample && <SampleBadge />}
      {run.simulated && <SimulatedBadge />}
      {run.parent && <Badge title={`Started by run ${run.parent.runId}`}>sub-flow</Badge>}
      {run.duplicates > 0 && (
        <Badge title="Repeats of the delivery that started nothing">
          {plural(run.duplicates, "duplicate")} suppressed
        </Badge>
      )}
      {run.resumes > 0 && <Badge title="How often a person resumed it">resumed ×{run.resumes}</Badge>}
      {run.recoveries > 0 && (
        <Badge title="How often it went on after its process died">recovered ×{run.recoveries}</Badge>
      )}
      {run.error ? (
        <span className="truncate" title={run.error.message}>
          {toSentence(run.error.message)}
        </span>
      ) : run.parked ? (
        <span className="truncate text-ink-2">
          Nothing is held in memory
          {run.wakeAt !== null && (
            <>
              ; goes on <RelativeTime at={run.wakeAt} /> at the latest
            </>
          )}
        </span>
      ) : (
        run.output !== null && <span className="truncate font-mono text-xs text-ink-3">{summary(run.output)}</span>
      )}
    </div>
  );
}

/** The first facts of an output, in one line. */
function summary(output: Json): string {
  if (typeof output !== "object" || output === null || Array.isArray(output))
    return JSON.stringify(output).slice(0, 200);
  return Object.entries(output)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ")
    .slice(0, 200);
}
