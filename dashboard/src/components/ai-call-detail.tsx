import type { AiCallView } from "../api.ts";
import { formatCost, formatCount, formatDuration } from "../format.ts";
import { answerExchange, sentExchange } from "../messages.ts";
import { Badge, SimulatedBadge } from "./badge.tsx";
import { ExchangeView } from "./exchange-view.tsx";
import { Digest, Facts } from "./facts.tsx";
import { Caption } from "./panel.tsx";
import { RunErrorNotice } from "./run-error-notice.tsx";

const rungWords = {
  as_is: null,
  repaired: { label: "repaired", title: "The answer was nearly JSON, and was repaired without asking again." },
  asked_again: {
    label: "asked again",
    title: "An earlier answer did not fit the schema; this one answers the question with its error.",
  },
} as const;

/** One request to a model: what left the company, what came back, and what it cost. */
export function AiCallDetail({ call, numbered }: { readonly call: AiCallView; readonly numbered: boolean }) {
  const rung = call.rung === null ? null : rungWords[call.rung];
  return (
    <section className="overflow-hidden rounded-md border border-line bg-surface">
      <header className="flex min-h-9 flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-3 py-1">
        <h3 className="font-medium">{numbered ? `AI call ${call.attempt}` : "AI call"}</h3>
        <span className="text-ink-2">
          {call.modelName}: {call.provider} <span className="font-mono text-xs">{call.model}</span>
        </span>
        {call.simulated && <SimulatedBadge />}
        {rung && (
          <Badge tone="wait" title={rung.title}>
            {rung.label}
          </Badge>
        )}
        {call.status === "intent" && <Badge>no answer yet</Badge>}
        {call.status === "failed" && <Badge tone="fail">failed</Badge>}
      </header>
      <div className="space-y-3 px-3 pt-2 pb-3">
        <SentFields call={call} />
        <div className="grid gap-3 lg:grid-cols-2">
          <ExchangeView title="What was sent" exchange={sentExchange(call.request)} whole={call.request} />
          <Answer call={call} />
        </div>
        <CallFacts call={call} />
      </div>
    </section>
  );
}

function Answer({ call }: { readonly call: AiCallView }) {
  const { error, response } = call;
  if (response !== null) {
    return <ExchangeView title="What came back" exchange={answerExchange(response)} whole={response} />;
  }
  return (
    <div className="min-w-0">
      <Caption>What came back</Caption>
      {error ? <RunErrorNotice error={error} detailed /> : <p className="text-ink-3">Nothing recorded yet.</p>}
    </div>
  );
}

/** How little left: "4 fields available, 2 sent", with the names of those that were. */
function SentFields({ call }: { readonly call: AiCallView }) {
  return (
    <p className="flex flex-wrap items-center gap-1.5">
      <span>
        {formatCount(call.availableFields)} fields available,{" "}
        <strong className="font-medium">{call.sentFields.length} sent</strong>
        {call.sentFields.length > 0 && ":"}
      </span>
      {call.sentFields.map((field) => (
        <code key={field} className="rounded bg-accent-soft px-1.5 text-xs/[18px] text-accent">
          {field}
        </code>
      ))}
    </p>
  );
}

const pending = "not yet known";

function CallFacts({ call }: { readonly call: AiCallView }) {
  const { inputTokens, outputTokens, costMicroUsd, startedAt, finishedAt } = call;
  const asked = call.status === "intent";
  const tokens = (count: number | null): string =>
    count === null ? (asked ? pending : "not said") : formatCount(count);
  const cost = costMicroUsd === null ? (asked ? pending : "price unknown") : formatCost(costMicroUsd);
  const took = finishedAt === null ? pending : formatDuration(Date.parse(finishedAt) - Date.parse(startedAt));
  return (
    <Facts
      facts={[
        { name: "Tokens in", value: tokens(inputTokens) },
        { name: "Tokens out", value: tokens(outputTokens) },
        { name: "Cost", value: cost },
        { name: "Took", value: took },
        { name: "Digest", value: <Digest text={call.requestDigest} /> },
      ]}
    />
  );
}
