import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import type { QueueView } from "../api.ts";
import { formatCount, formatDuration, plural } from "../format.ts";
import { queueQuery } from "../queries.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { Panel, SkeletonRows } from "./panel.tsx";
import { RelativeTime, useNow } from "./time.tsx";

/** What waits for room, and who executes. */
export function QueuePanel() {
  const { data: queue, error, refetch } = useQuery(queueQuery);
  return (
    <Panel title="Queue and processes" aside={queue && <Filling queue={queue} />}>
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {!queue && !error && <SkeletonRows rows={3} />}
      {queue && (
        <div className="grid lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)] lg:divide-x lg:divide-line">
          <Flows queue={queue} />
          <Processes processes={queue.processes} />
        </div>
      )}
    </Panel>
  );
}

/** From this share on the queue is near to refusing events. */
const nearlyFull = 0.8;

function Filling({ queue: { queued, maxQueued } }: { readonly queue: QueueView }) {
  const near = queued >= maxQueued * nearlyFull;
  return (
    <span
      className={clsx("tabular-nums", near ? "font-medium text-doubt" : "text-ink-2")}
      title={`From ${formatCount(maxQueued)} queued runs on, events are refused with 503 until there is room.`}
    >
      {formatCount(queued)} queued{near && ` of at most ${formatCount(maxQueued)}`}
    </span>
  );
}

function Flows({ queue: { byFlow } }: { readonly queue: QueueView }) {
  const busy = byFlow.filter(({ queued, running, waiting, parked }) => queued + running + waiting + parked > 0);
  if (busy.length === 0) return <p className="px-4 py-3 text-ink-2">No run is queued, running or waiting.</p>;
  return (
    <div className="min-w-0 max-lg:border-b max-lg:border-line">
      <table className="w-full table-fixed">
        <thead>
          <tr className="h-8 border-b border-line text-left text-xs whitespace-nowrap text-ink-3">
            <th className="pl-4 font-medium">Flow</th>
            <th className="w-20 px-2 text-right font-medium">Queued</th>
            <th className="w-[72px] px-2 text-right font-medium">Running</th>
            <th className="w-20 px-2 text-right font-medium max-sm:pr-4">Waiting</th>
            <th className="w-32 pr-4 pl-2 text-right font-medium max-sm:hidden">Oldest queued</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {busy.map((row) => (
            <FlowRow key={row.flow} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function FlowRow({ row }: { readonly row: QueueView["byFlow"][number] }) {
  const { flow, queued, running, waiting, parked, oldestQueuedAt } = row;
  return (
    <tr className="h-8 hover:bg-hover">
      <td className="truncate pl-4">
        <Link to="/runs" search={{ flow, status: "queued,running,waiting" }} className="hover:underline">
          {flow}
        </Link>
      </td>
      <Count count={queued} />
      <Count count={running} />
      <Count
        count={waiting + parked}
        {...(parked > 0 && { title: `${plural(parked, "of them holds", "of them hold")} nothing in memory` })}
      />
      <td className="pr-4 pl-2 text-right text-ink-2 max-sm:hidden">
        {oldestQueuedAt === null ? <span className="text-ink-3">–</span> : <Age since={oldestQueuedAt} />}
      </td>
    </tr>
  );
}

function Count({ count, title }: { readonly count: number; readonly title?: string }) {
  return (
    <td
      title={title}
      className={clsx("px-2 text-right tabular-nums max-sm:last-of-type:pr-4", count === 0 && "text-ink-3")}
    >
      {formatCount(count)}
    </td>
  );
}

const Age = ({ since }: { readonly since: string }) => (
  <span className="whitespace-nowrap tabular-nums">{formatDuration(Math.max(0, useNow() - Date.parse(since)))}</span>
);

const roleWords = { all: "serves and executes", web: "serves requests", worker: "executes runs" } as const;

function Processes({ processes }: Pick<QueueView, "processes">) {
  const executing = processes.some(({ alive, role }) => alive && role !== "web");
  return (
    <div>
      {!executing && (
        <p className="border-b border-line bg-doubt-soft px-4 py-2 font-medium text-doubt">
          No living process executes runs: what is queued waits until one is started.
        </p>
      )}
      <ul className="divide-y divide-line">
        {processes.map((process) => (
          <ProcessRow key={process.executor} process={process} />
        ))}
      </ul>
    </div>
  );
}

function ProcessRow({ process }: { readonly process: QueueView["processes"][number] }) {
  const { executor, role, alive, running, startedAt } = process;
  return (
    <li data-testid="process" data-alive={alive} className="flex min-h-8 flex-wrap items-center gap-x-3 px-4 py-1.5">
      <span className={clsx("flex items-center gap-2", alive ? "text-ink" : "font-medium text-fail")}>
        <LifeMark alive={alive} />
        {alive ? "Alive" : "Gone"}
      </span>
      <code title={executor} className="min-w-0 flex-1 truncate text-xs text-ink-2">
        {executor}
      </code>
      <span className="w-full text-xs text-ink-2 tabular-nums">
        {roleWords[role]}; {alive ? `${plural(running, "run")} under way` : "others take its runs over"}; started{" "}
        <RelativeTime at={startedAt} />
      </span>
    </li>
  );
}

/** A filled circle, or an empty one with a stroke through it. */
function LifeMark({ alive }: { readonly alive: boolean }) {
  return (
    <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true" className={alive ? "text-ok" : "text-fail"}>
      <circle cx="5" cy="5" r="3.6" fill={alive ? "currentColor" : "none"} stroke="currentColor" strokeWidth="1.4" />
      {!alive && <path d="M1 9 9 1" stroke="currentColor" strokeWidth="1.4" />}
    </svg>
  );
}
