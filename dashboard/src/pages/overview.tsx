import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { OverviewView } from "../api.ts";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Figures } from "../components/figures.tsx";
import { FlowList } from "../components/flow-list.tsx";
import { NoFlows } from "../components/no-flows.tsx";
import { NeedsPerson } from "../components/needs-person.tsx";
import { NoRuns } from "../components/no-runs.tsx";
import { Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { RefusalList } from "../components/refusal-list.tsx";
import { QueuePanel } from "../components/queue-panel.tsx";
import { RunList } from "../components/run-list.tsx";
import { flowsQuery, overviewQuery, runsQuery } from "../queries.ts";

export function OverviewPage() {
  const { data, error, refetch } = useQuery(overviewQuery);
  return (
    <Page title="Overview">
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {!data && !error && (
        <Panel title="Needs a person">
          <SkeletonRows rows={4} />
        </Panel>
      )}
      {data && (
        <>
          {unused(data) ? <Latest /> : <NeedsPerson />}
          <Panel title="Last 24 hours">
            <Figures overview={data} />
          </Panel>
          <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
            <Flows />
            <Panel title="Refused deliveries" className="self-start">
              {data.refusals.length > 0 ? (
                <RefusalList refusals={data.refusals} withSource />
              ) : (
                <p className="px-4 py-3 text-ink-2">None. What arrived was signed and fitted its schema.</p>
              )}
            </Panel>
          </div>
          <QueuePanel />
          {!unused(data) && <Latest />}
        </>
      )}
    </Page>
  );
}

/** Nothing has run of late: then the way to the first run comes first. */
const unused = ({ counts, needsAttention }: OverviewView): boolean =>
  Object.keys(counts).length === 0 && needsAttention.length === 0;

const latestCount = 8;

function Latest() {
  const { data } = useInfiniteQuery(runsQuery({}));
  const runs = data?.pages[0]?.items;
  return (
    <Panel
      title="Latest runs"
      aside={
        <Link to="/runs" className="text-accent hover:underline">
          All of them
        </Link>
      }
    >
      {!runs && <SkeletonRows rows={latestCount} />}
      {runs && runs.length > 0 && <RunList runs={runs.slice(0, latestCount)} />}
      {runs?.length === 0 && <NoRuns filtered={false} />}
    </Panel>
  );
}

function Flows() {
  const { data: flows, error, refetch } = useQuery(flowsQuery);
  return (
    <Panel title="Flows" className="self-start">
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {!flows && !error && <SkeletonRows rows={3} />}
      {flows && flows.length > 0 && <FlowList flows={flows} brief />}
      {flows?.length === 0 && <NoFlows />}
    </Panel>
  );
}
