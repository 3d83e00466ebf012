import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { toProblem, type FlowDetailView } from "../api.ts";
import { buttonClass } from "../components/button.tsx";
import { CallExamples } from "../components/call-examples.tsx";
import { CopyButton } from "../components/copy-button.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Facts } from "../components/facts.tsx";
import { calledBy, Scheme, totalRuns } from "../components/flow-list.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { RefusalList } from "../components/refusal-list.tsx";
import { RunList } from "../components/run-list.tsx";
import { SampleSender } from "../components/sample-sender.tsx";
import { SchemaTable } from "../components/schema-table.tsx";
import { RelativeTime } from "../components/time.tsx";
import { formatCount, formatDuration, formatMinutes } from "../format.ts";
import { flowQuery, runsQuery } from "../queries.ts";

const route = getRouteApi("/shell/flows/$name");

export function FlowPage() {
  const { name } = route.useParams();
  const { data: flow, error, refetch } = useQuery(flowQuery(name));
  if (flow) return <Flow key={flow.name} flow={flow} />;
  const unknown = error !== null && toProblem(error).status === 404;
  return (
    <Page title={name}>
      {error && !unknown && <ErrorNotice error={error} retry={() => void refetch()} />}
      {unknown && (
        <Panel>
          <EmptyState title={`There is no flow called “${name}”.`}>
            <Link to="/flows" className={buttonClass()}>
              Show all flows
            </Link>
          </EmptyState>
        </Panel>
      )}
      {!error && (
        <Panel>
          <SkeletonRows rows={8} />
        </Panel>
      )}
    </Page>
  );
}

function Flow({ flow }: { readonly flow: FlowDetailView }) {
  return (
    <Page title={flow.name} lead={flow.description}>
      <FlowFacts flow={flow} />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <div className="grid min-w-0 gap-4">
          <SampleSender flow={flow} />
          <CallExamples flow={flow} />
        </div>
        <div className="grid min-w-0 gap-4">
          <Panel title="Payload">
            <SchemaTable schema={flow.payloadSchema} />
          </Panel>
          {flow.trigger.kind === "webhook" && (
            <Panel title="Refused deliveries, last 7 days">
              {flow.refusals.length > 0 ? (
                <RefusalList refusals={flow.refusals} withSource={false} />
              ) : (
                <p className="px-4 py-3 text-ink-2">None.</p>
              )}
            </Panel>
          )}
        </div>
      </div>
      <Runs flow={flow.name} />
    </Page>
  );
}

function FlowFacts({ flow }: { readonly flow: FlowDetailView }) {
  return (
    <div className="rounded-lg border border-line bg-surface">
      <div className="flex min-h-10 flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-1.5">
        <Start trigger={flow.trigger} />
      </div>
      <Facts
        className="px-4 py-3"
        facts={[
          { name: "Runs", value: formatCount(totalRuns(flow)) },
          { name: "Failed or in doubt", value: formatCount((flow.counts.failed ?? 0) + (flow.counts.in_doubt ?? 0)) },
          { name: "Median, last day", value: flow.medianMs === null ? "–" : formatDuration(flow.medianMs) },
          { name: "Saved per run", value: formatMinutes(flow.minutesSaved) },
          { name: "Last run", value: flow.lastRunAt ? <RelativeTime at={flow.lastRunAt} /> : "never" },
          {
            name: "Version",
            value: (
              <code title={flow.version} className="text-xs">
                {flow.version.slice(0, 12)}
              </code>
            ),
          },
        ]}
      />
    </div>
  );
}

function Start({ trigger }: Pick<FlowDetailView, "trigger">) {
  if (trigger.kind === "call") return <span className="text-ink-2">{calledBy}.</span>;
  return (
    <>
      <span className="flex min-w-0 items-center gap-1">
        <span className="mr-1 text-ink-3">POST</span>
        <code className="min-w-0 text-xs break-all">{trigger.url}</code>
        <CopyButton text={trigger.url} label="Copy the address" />
      </span>
      <Scheme scheme={trigger.scheme} />
    </>
  );
}

function Runs({ flow }: { readonly flow: string }) {
  const { data, error, isPending, refetch } = useInfiniteQuery(runsQuery({ flow }));
  const runs = data?.pages[0]?.items.slice(0, 10) ?? [];
  return (
    <Panel
      title="Its latest runs"
      aside={
        <Link to="/runs" search={{ flow }} className="text-accent hover:underline">
          All of them
        </Link>
      }
    >
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {isPending && <SkeletonRows rows={4} />}
      {runs.length > 0 && <RunList runs={runs} withFlow={false} />}
      {!isPending && !error && runs.length === 0 && (
        <EmptyState title="It has not run yet.">Send a sample above.</EmptyState>
      )}
    </Panel>
  );
}
