import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import type { CostsView, CostTotalView } from "../api.ts";
import { BudgetList } from "../components/budget-list.tsx";
import { CostChart } from "../components/cost-chart.tsx";
import { CostTable } from "../components/cost-table.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Figure } from "../components/figure.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { TabBar, tabClass } from "../components/tab-bar.tsx";
import { formatCost, formatCount, formatTokens, plural } from "../format.ts";
import type { CostKey, Period } from "../gateway-api.ts";
import { costsQuery } from "../gateway-queries.ts";
import { daysOf, periodOf, periods, type PeriodId } from "../period.ts";

const route = getRouteApi("/shell/costs");

const keys = [
  { id: "flow", label: "By flow" },
  { id: "model", label: "By model" },
  { id: "day", label: "By day" },
] as const satisfies readonly { readonly id: CostKey; readonly label: string }[];

export function CostsPage() {
  const search = route.useSearch();
  const by = keys.find(({ id }) => id === search.by)?.id ?? "flow";
  const chosen = periods.find(({ id }) => id === search.period)?.id ?? "week";
  const [now] = useState(Date.now);
  const period = periodOf(chosen, now);
  const { data, error, refetch } = useQuery(costsQuery(by, period));
  return (
    <Page
      title="Costs"
      lead="What AI calls cost, from prices that are pinned and dated. Days are those of UTC, as budgets count them."
    >
      <Periods by={by} chosen={chosen} />
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {!data && !error && (
        <Panel>
          <SkeletonRows rows={8} />
        </Panel>
      )}
      {data && <Costs by={by} chosen={chosen} period={period} costs={data} />}
    </Page>
  );
}

interface ChosenProps {
  readonly by: CostKey;
  readonly chosen: PeriodId;
}

function Periods({ by, chosen }: ChosenProps) {
  return (
    <div className="flex">
      <TabBar label="Which days">
        {periods.map(({ id, label }) => (
          <Link
            key={id}
            to="/costs"
            search={{ by, period: id }}
            aria-current={id === chosen ? "page" : undefined}
            className={tabClass(id === chosen)}
          >
            {label}
          </Link>
        ))}
      </TabBar>
    </div>
  );
}

interface CostsProps extends ChosenProps {
  readonly period: Period;
  readonly costs: CostsView & { readonly by: CostKey };
}

function Costs({ by, chosen, period, costs }: CostsProps) {
  return (
    <>
      <Panel>
        <Totals total={costs.total} />
        {chosen !== "today" && costs.total.calls > 0 && <Chart period={period} />}
      </Panel>
      <Panel
        title={
          <TabBar label="Costs by">
            {keys.map(({ id, label }) => (
              <Link
                key={id}
                to="/costs"
                search={{ by: id, period: chosen }}
                aria-current={id === by ? "page" : undefined}
                className={tabClass(id === by)}
              >
                {label}
              </Link>
            ))}
          </TabBar>
        }
      >
        {costs.rows.length > 0 ? (
          <CostTable by={costs.by} rows={costs.rows} total={costs.total} />
        ) : (
          <EmptyState title="No model was asked in these days.">
            What calls cost shows here as soon as a flow makes one.
          </EmptyState>
        )}
      </Panel>
      <Panel title="Budgets">
        {costs.budgets.length > 0 ? (
          <BudgetList budgets={costs.budgets} />
        ) : (
          <p className="px-4 py-3 text-ink-2">
            No budget has been drawn on. A flow gets one by{" "}
            <code className="text-xs">{"budget: { perDayUsd: 20 }"}</code>; the most that a call can cost is set aside
            before it is sent.
          </p>
        )}
      </Panel>
    </>
  );
}

function Chart({ period }: { readonly period: Period }) {
  const { data } = useQuery(costsQuery("day", period));
  return (
    <div className="border-t border-line">
      {data ? <CostChart days={daysOf(period)} rows={data.rows} /> : <SkeletonRows rows={5} />}
    </div>
  );
}

function Totals({ total }: { readonly total: CostTotalView }) {
  const { calls, failed, costMicroUsd, unpricedCalls, estimatedCalls } = total;
  const unknown = unpricedCalls > 0 && unpricedCalls === calls;
  const caveats = [
    ...(unpricedCalls > 0 ? [`${plural(unpricedCalls, "call")} without a known price`] : []),
    ...(estimatedCalls > 0 ? [`${plural(estimatedCalls, "call")} estimated`] : []),
  ];
  return (
    <div className="grid grid-cols-2 gap-px bg-line lg:grid-cols-4">
      <Figure
        label="AI cost"
        value={unknown ? "Unknown" : formatCost(costMicroUsd)}
        note={caveats.length > 0 ? caveats.join(", ") : "every call priced"}
      />
      <Figure
        label="A successful run"
        value={total.costPerSuccessMicroUsd === null ? "–" : formatCost(total.costPerSuccessMicroUsd)}
        note={`${formatCount(total.succeededRuns)} of ${plural(total.runs, "run")} succeeded`}
      />
      <Figure
        label="AI calls"
        value={formatCount(calls)}
        note={failed > 0 ? `${formatCount(failed)} failed` : "none failed"}
      />
      <Figure
        label="Tokens"
        value={formatTokens(total.inputTokens + total.outputTokens)}
        note={`${formatTokens(total.inputTokens)} in, ${formatTokens(total.outputTokens)} out`}
      />
    </div>
  );
}
