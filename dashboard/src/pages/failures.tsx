import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ErrorNotice } from "../components/error-notice.tsx";
import { FailureList, inOrder } from "../components/failure-list.tsx";
import { FilterInput } from "../components/filter-input.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { failuresQuery } from "../queries.ts";

export function FailuresPage() {
  const { data: groups, error, refetch } = useQuery(failuresQuery);
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLowerCase();
  const shown = inOrder(groups ?? []).filter(({ message, code, flow, step }) =>
    `${message} ${code} ${flow} ${step ?? ""}`.toLowerCase().includes(wanted),
  );
  return (
    <Page
      title="Failures"
      lead="Runs that stopped in the same way stand together: mend the cause once, then resume all of them from the step that failed."
      actions={<FilterInput label="Filter failures" value={filter} onChange={setFilter} />}
    >
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      <Panel>
        {!groups && !error && <SkeletonRows rows={6} />}
        {shown.length > 0 && <FailureList groups={shown} />}
        {groups?.length === 0 && (
          <EmptyState title="Nothing has failed.">
            A run that stops shows here, with what to do about it, until it is resumed.
          </EmptyState>
        )}
        {groups && groups.length > 0 && shown.length === 0 && (
          <EmptyState title={`No failure has “${filter.trim()}” in it.`} />
        )}
      </Panel>
    </Page>
  );
}
