import { Link } from "@tanstack/react-router";
import type { CostRowView, CostTotalView } from "../api.ts";
import { formatCost, formatCount, formatDay, formatTokens, plural } from "../format.ts";
import type { CostKey } from "../gateway-api.ts";

const headings: { readonly [by in CostKey]: string } = { flow: "Flow", model: "Model", day: "Day (UTC)" };

interface CostTableProps {
  readonly by: CostKey;
  readonly rows: readonly CostRowView[];
  readonly total: CostTotalView;
}

/** What AI calls cost, a row for each flow, model or day. */
export function CostTable({ by, rows, total }: CostTableProps) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full" data-testid="cost-table">
        <thead>
          <tr className="h-8 border-b border-line text-left text-xs text-ink-3 [&>th:not(:first-child)]:text-right [&>th]:font-medium">
            <th className="pl-4">{headings[by]}</th>
            <th className="px-3">Calls</th>
            <th className="px-3 max-md:hidden">Tokens in</th>
            <th className="px-3 max-md:hidden">Tokens out</th>
            <th className="px-3 max-md:hidden">Runs</th>
            <th className="px-3">Cost</th>
            <th className="pr-4 pl-3 max-sm:hidden" title="All cost, over the runs that succeeded">
              A successful run
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <CostRow key={row.key} figures={row}>
              <Key by={by} value={row.key} />
            </CostRow>
          ))}
        </tbody>
        {rows.length > 1 && (
          <tfoot className="border-t border-line-strong font-medium">
            <CostRow figures={total}>All</CostRow>
          </tfoot>
        )}
      </table>
    </div>
  );
}

function Key({ by, value }: { readonly by: CostKey; readonly value: string }) {
  if (by === "day") return formatDay(value);
  if (by === "model") return <code className="text-xs break-all">{value}</code>;
  return (
    <Link to="/flows/$name" params={{ name: value }} className="font-medium break-words hover:underline">
      {value}
    </Link>
  );
}

function CostRow({ figures, children }: { readonly figures: CostTotalView; readonly children: React.ReactNode }) {
  const { calls, failed, inputTokens, outputTokens, runs, succeededRuns, costPerSuccessMicroUsd } = figures;
  return (
    <tr className="align-top hover:bg-hover [&>td]:py-1.5 [&>td:not(:first-child)]:text-right [&>td:not(:first-child)]:tabular-nums">
      <td className="min-w-32 pl-4">{children}</td>
      <td className="px-3">
        {formatCount(calls)}
        {failed > 0 && <p className="text-xs font-normal whitespace-nowrap text-ink-2">{formatCount(failed)} failed</p>}
      </td>
      <td className="px-3 max-md:hidden">{formatTokens(inputTokens)}</td>
      <td className="px-3 max-md:hidden">{formatTokens(outputTokens)}</td>
      <td className="px-3 max-md:hidden">
        {formatCount(runs)}
        {succeededRuns < runs && (
          <p className="text-xs font-normal whitespace-nowrap text-ink-2">{formatCount(succeededRuns)} succeeded</p>
        )}
      </td>
      <td className="px-3">
        <Cost figures={figures} />
      </td>
      <td className="pr-4 pl-3 whitespace-nowrap max-sm:hidden">
        {costPerSuccessMicroUsd === null ? (
          <span className="font-normal text-ink-3">none yet</span>
        ) : (
          formatCost(costPerSuccessMicroUsd)
        )}
      </td>
    </tr>
  );
}

/** A sum with what is not known of it. */
function Cost({
  figures: { calls, costMicroUsd, unpricedCalls, estimatedCalls },
}: {
  readonly figures: CostTotalView;
}) {
  const unknown = unpricedCalls > 0 && unpricedCalls === calls;
  return (
    <>
      {unknown ? <span className="text-doubt">unknown</span> : formatCost(costMicroUsd)}
      {unpricedCalls > 0 && (
        <p className="text-xs font-normal text-doubt" title="They are in no sum.">
          {plural(unpricedCalls, "call")} unpriced
        </p>
      )}
      {estimatedCalls > 0 && (
        <p className="text-xs font-normal text-ink-2" title="The provider did not say how much was used.">
          {plural(estimatedCalls, "call")} estimated
        </p>
      )}
    </>
  );
}
