import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ErrorNotice } from "../components/error-notice.tsx";
import { FilterInput } from "../components/filter-input.tsx";
import { FlowList } from "../components/flow-list.tsx";
import { NoFlows } from "../components/no-flows.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { flowsQuery } from "../queries.ts";

export function FlowsPage() {
  const { data: flows, error, refetch } = useQuery(flowsQuery);
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLowerCase();
  const shown = flows?.filter((flow) => `${flow.name} ${flow.description}`.toLowerCase().includes(wanted));
  return (
    <Page
      title="Flows"
      lead="A flow is started by its trigger and does the same steps for every event."
      actions={<FilterInput label="Filter flows" value={filter} onChange={setFilter} />}
    >
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      <Panel>
        {!flows && !error && <SkeletonRows rows={5} />}
        {shown && shown.length > 0 && <FlowList flows={shown} />}
        {flows?.length === 0 && <NoFlows />}
        {flows && flows.length > 0 && shown?.length === 0 && (
          <EmptyState title={`No flow is called “${filter.trim()}”.`} />
        )}
      </Panel>
    </Page>
  );
}
