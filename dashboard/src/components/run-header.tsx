import { Link } from "@tanstack/react-router";
import { CornerLeftUp } from "lucide-react";
import type { RunDetailView } from "../api.ts";
import { formatClock, formatCost, formatCount, formatDuration, formatExact, plural, shortId } from "../format.ts";
import { stepNumber } from "../words.ts";
import { Badge, SampleBadge, SimulatedBadge } from "./badge.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Facts, type Fact } from "./facts.tsx";
import { useRunClock } from "./time.tsx";

/** What the AI calls of a run cost, with what is not known of it. Calls without an answer cost nothing that is known yet. */
function cost({ steps }: RunDetailView): string {
  const calls = steps.flatMap((step) => step.aiCalls);
  const answered = calls.filter((call) => call.status !== "intent");
  const prices = answered.flatMap((call) => call.costMicroUsd ?? []);
  const unpriced = answered.length - prices.length;
  if (answered.length === 0) return calls.length === 0 ? "no AI call" : "no answer yet";
  if (prices.length === 0) return "price unknown";
  const sum = formatCost(prices.reduce((total, price) => total + price, 0));
  return unpriced === 0 ? sum : `${sum} and ${plural(unpriced, "call")} unpriced`;
}

function again(run: RunDetailView): Fact[] {
  const facts: Fact[] = [];
  if (run.resumes > 0)
    facts.push({ name: "Resumed", value: <span title="By a person">{plural(run.resumes, "time")}</span> });
  if (run.recoveries > 0)
    facts.push({
      name: "Recovered",
      value: <span title="After its process died">{plural(run.recoveries, "time")}</span>,
    });
  return facts;
}

const priorityTitles = {
  interactive: "Goes before standard and batch runs when runs wait for room.",
  standard: "Goes after interactive and before batch runs when runs wait for room.",
  batch: "Goes after all other runs when runs wait for room.",
};

const time = (at: string) => <span title={formatExact(at)}>{formatClock(at, Date.now())}</span>;

/** How long a run took and what it cost. */
export function RunFacts({ run }: { readonly run: RunDetailView }) {
  const now = useRunClock(run.finishedAt);
  const done = run.finishedAt !== null;
  const facts: Fact[] = [
    { name: "Received", value: time(run.queuedAt) },
    { name: "Started", value: run.startedAt === null ? "not yet" : time(run.startedAt) },
    ...(run.finishedAt === null ? [] : [{ name: "Finished", value: time(run.finishedAt) }]),
    { name: done ? "Duration" : "So far", value: formatDuration(run.durationMs ?? now - Date.parse(run.queuedAt)) },
    ...(run.steps.some((step) => step.aiCalls.length > 0)
      ? [
          {
            name: "Tokens in / out",
            value: `${formatCount(run.totals.inputTokens)} / ${formatCount(run.totals.outputTokens)}`,
          },
        ]
      : []),
    { name: "AI cost", value: cost(run) },
    ...again(run),
    { name: "Priority", value: <span title={priorityTitles[run.priority]}>{run.priority}</span> },
    {
      name: "Version",
      value: (
        <code className="text-xs leading-5" title={run.flowVersion ?? ""}>
          {run.flowVersion?.slice(0, 12) ?? "not started"}
        </code>
      ),
    },
  ];
  return <Facts facts={facts} className="rounded-lg border border-line bg-surface px-4 py-3" />;
}

/** Which run this is. */
export function RunName({ run }: { readonly run: RunDetailView }) {
  return (
    <span className="flex min-w-0 flex-wrap items-center gap-x-3">
      <Link to="/flows/$name" params={{ name: run.flow }} className="font-medium text-accent hover:underline">
        {run.flow}
      </Link>
      <span className="flex min-w-0 items-center">
        <code className="truncate text-xs">{run.id}</code>
        <CopyButton text={run.id} label="Copy the run’s id" />
      </span>
      {run.parent && <Parent {...run.parent} />}
    </span>
  );
}

/** The way to the run that started this one. */
function Parent({ runId, path }: NonNullable<RunDetailView["parent"]>) {
  return (
    <Link
      to="/runs/$id"
      params={{ id: runId }}
      title={`Run ${runId}`}
      data-testid="parent-run"
      className="inline-flex items-center gap-1 text-accent hover:underline"
    >
      <CornerLeftUp size={13} aria-hidden="true" />
      Started by step {stepNumber(path)} of run <code className="text-xs">{shortId(runId)}</code>
    </Link>
  );
}

/** What is out of the ordinary with a run: started by a sample, answered by the simulated model, doubled deliveries. */
export function RunBadges({ run }: { readonly run: RunDetailView }) {
  const { duplicates } = run.event;
  return (
    <>
      {run.event.sample && <SampleBadge />}
      {run.steps.some((step) => step.aiCalls.some((call) => call.simulated)) && <SimulatedBadge />}
      {duplicates > 0 && (
        <Badge title="Repeats of the same delivery; none started a second run.">
          {plural(duplicates, "duplicate")} suppressed
        </Badge>
      )}
    </>
  );
}
