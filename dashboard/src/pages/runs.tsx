import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { RunFilter, RunView } from "../api.ts";
import { Button } from "../components/button.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Select } from "../components/field.tsx";
import { FilterInput } from "../components/filter-input.tsx";
import { NoRuns } from "../components/no-runs.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { RunList } from "../components/run-list.tsx";
import { TabBar, tabClass } from "../components/tab-bar.tsx";
import { flowsQuery, runsQuery } from "../queries.ts";

const route = getRouteApi("/shell/runs");

const views: readonly { readonly label: string; readonly status?: string }[] = [
  { label: "All" },
  { label: "Needs a person", status: "failed,in_doubt" },
  { label: "Unfinished", status: "queued,running,waiting" },
  { label: "Succeeded", status: "succeeded" },
  { label: "Cancelled", status: "cancelled" },
];

const matches = (run: RunView, wanted: string): boolean =>
  `${run.id} ${run.flow} ${run.error?.message ?? ""} ${run.error?.code ?? ""}`.toLowerCase().includes(wanted);

export function RunsPage() {
  const filter = route.useSearch();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const openById = () => {
    if (wanted.startsWith("run_")) void navigate({ to: "/runs/$id", params: { id: wanted } });
  };
  return (
    <Page title="Runs">
      <div className="flex flex-wrap items-center gap-2">
        <Views filter={filter} />
        <div className="ml-auto flex flex-wrap gap-2 max-md:ml-0">
          <FlowChoice filter={filter} />
          <FilterInput label="Filter, or paste a run id" value={text} onChange={setText} onEnter={openById} />
        </div>
      </div>
      <Runs filter={filter} wanted={wanted} />
    </Page>
  );
}

function Views({ filter }: { readonly filter: RunFilter }) {
  const known = views.some((view) => view.status === filter.status);
  const shown =
    known || !filter.status ? views : [...views, { label: filter.status.replaceAll("_", " "), status: filter.status }];
  return (
    <TabBar label="Which runs">
      {shown.map((view) => (
        <Link
          key={view.label}
          to="/runs"
          search={{ ...(filter.flow ? { flow: filter.flow } : {}), ...(view.status ? { status: view.status } : {}) }}
          aria-current={view.status === filter.status ? "page" : undefined}
          className={tabClass(view.status === filter.status)}
        >
          {view.label}
        </Link>
      ))}
    </TabBar>
  );
}

function FlowChoice({ filter }: { readonly filter: RunFilter }) {
  const { data: flows = [] } = useQuery(flowsQuery);
  const navigate = useNavigate();
  return (
    <Select
      label="Flow"
      value={filter.flow ?? ""}
      onChange={(event) => {
        const flow = event.currentTarget.value;
        const status = filter.status ? { status: filter.status } : {};
        void navigate({ to: "/runs", search: flow ? { flow, ...status } : status });
      }}
    >
      <option value="">All flows</option>
      {flows.map((flow) => (
        <option key={flow.name}>{flow.name}</option>
      ))}
    </Select>
  );
}

function Runs({ filter, wanted }: { readonly filter: RunFilter; readonly wanted: string }) {
  const query = useInfiniteQuery(runsQuery(filter));
  const runs = query.data?.pages.flatMap((page) => page.items);
  const shown = runs?.filter((run) => matches(run, wanted));
  return (
    <>
      {query.error && <ErrorNotice error={query.error} retry={() => void query.refetch()} />}
      <Panel>
        {query.isPending && <SkeletonRows rows={12} />}
        {shown && shown.length > 0 && <RunList runs={shown} />}
        {runs && runs.length > 0 && shown?.length === 0 && (
          <EmptyState title="No loaded run matches.">
            Older runs may: load more, or paste a whole run id and press Enter.
          </EmptyState>
        )}
        {runs?.length === 0 && <NoRuns filtered={Boolean(filter.flow || filter.status)} />}
      </Panel>
      {query.hasNextPage && (
        <div className="flex justify-center">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Load older
          </Button>
        </div>
      )}
    </>
  );
}
