import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { RunDetailView } from "../api.ts";
import { formatClock, formatCost, formatCount, formatDuration, formatExact, plural } from "../format.ts";
import { statusQuery } from "../queries.ts";
import { Badge, SampleBadge, SimulatedBadge } from "./badge.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Facts, type Fact } from "./facts.tsx";
import { useRunClock } from "./time.tsx";

/** What the AI calls of a run cost, with what is not known of it. */
function cost({ totals, steps }: RunDetailView): string {
  const calls = steps.reduce((sum, step) => sum + step.aiCalls.length, 0);
  if (calls === 0) return "no AI call";
  if (totals.unpricedCalls === 0) return formatCost(totals.costMicroUsd);
  if (totals.unpricedCalls === calls) return "price unknown";
  return `${formatCost(totals.costMicroUsd)} and ${plural(totals.unpricedCalls, "call")} unpriced`;
}

function again(run: RunDetailView): Fact[] {
  const facts: Fact[] = [];
  if (run.resumes > 0) facts.push({ name: "Resumed", value: `${plural(run.resumes, "time")} by a person` });
  if (run.recoveries > 0) facts.push({ name: "Recovered", value: `${plural(run.recoveries, "time")} after its process died` });
  return facts;
}

/** Where a run came from, how long it took and what it cost. */
export function RunFacts({ run }: { readonly run: RunDetailView }) {
  const now = useRunClock(run.finishedAt);
  const time = (at: string) => <span title={formatExact(at)}>{formatClock(at, Date.now())}</span>;
  const facts: Fact[] = [
    {
      name: "Flow",
      value: (
        <Link to="/flows/$name" params={{ name: run.flow }} className="font-medium text-accent hover:underline">
          {run.flow}
        </Link>
      ),
    },
    { name: "Received", value: time(run.queuedAt) },
    { name: run.finishedAt ? "Finished" : "Started", value: run.finishedAt ? time(run.finishedAt) : run.startedAt ? time(run.startedAt) : "not yet" },
    { name: run.finishedAt ? "Duration" : "Since received", value: formatDuration(run.durationMs ?? now - Date.parse(run.queuedAt)) },
    { name: "Tokens in / out", value: `${formatCount(run.totals.inputTokens)} / ${formatCount(run.totals.outputTokens)}` },
    { name: "AI cost", value: cost(run) },
    ...again(run),
    { name: "Version", value: <code className="text-xs" title={run.flowVersion ?? ""}>{run.flowVersion?.slice(0, 12) ?? "not started"}</code> },
    { name: "Run", value: <RunId id={run.id} /> },
  ];
  return <Facts facts={facts} className="rounded-lg border border-line bg-surface px-4 py-3" />;
}

function RunId({ id }: { readonly id: string }) {
  return (
    <span className="flex h-5 items-center">
      <code title={id} className="truncate text-xs">
        {id}
      </code>
      <CopyButton text={id} label="Copy the run’s id" />
    </span>
  );
}

/** What is out of the ordinary with a run: started by a sample, answered by the simulated model, doubled deliveries. */
export function RunBadges({ run }: { readonly run: RunDetailView }) {
  const { data: status } = useQuery(statusQuery);
  const { duplicates } = run.event;
  return (
    <>
      {run.event.sample && <SampleBadge />}
      {run.steps.some((step) => step.aiCalls.some((call) => call.simulated)) && <SimulatedBadge />}
      {duplicates > 0 && <Badge title="Repeats of the same delivery; none started a second run.">{plural(duplicates, "duplicate")} suppressed</Badge>}
      {status?.sandbox === true && <span className="sr-only">in the sandbox</span>}
    </>
  );
}
