import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { flowsQuery } from "../queries.ts";
import { buttonClass } from "./button.tsx";
import { EmptyState } from "./panel.tsx";

/** What stands where there is no run: how to get the first one, or how to see others. */
export function NoRuns({ filtered }: { readonly filtered: boolean }) {
  const { data: flows = [] } = useQuery(flowsQuery);
  const [first] = flows;
  if (filtered) {
    return (
      <EmptyState title="No run like this.">
        <Link to="/runs" className={buttonClass()}>
          Show all runs
        </Link>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="Nothing has run yet.">
      <p className="mb-3">Send a sample to a flow and watch it run; it takes a few seconds.</p>
      {first && (
        <Link to="/flows/$name" params={{ name: first.name }} className={buttonClass("primary")}>
          Send a sample to {first.name}
        </Link>
      )}
    </EmptyState>
  );
}
