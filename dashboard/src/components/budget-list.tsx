import { Link } from "@tanstack/react-router";
import type { BudgetView } from "../api.ts";
import { formatCost, shortId } from "../format.ts";
import { accountOwner, periodWords } from "../gateway-words.ts";
import { Gauge } from "./gauge.tsx";

/** Budgets, each with how much of it is spent or set aside. */
export function BudgetList({ budgets }: { readonly budgets: readonly BudgetView[] }) {
  return (
    <ul className="grid grid-cols-1 gap-x-8 gap-y-3 px-4 py-3 sm:grid-cols-2 lg:grid-cols-3">
      {budgets.map((budget) => (
        <li key={budget.account} data-testid="budget" data-account={budget.account}>
          <Gauge
            label={<Owner budget={budget} />}
            value={`${formatCost(budget.spentMicroUsd)} of ${formatCost(budget.limitMicroUsd)}`}
            share={budget.limitMicroUsd <= 0 ? 1 : budget.spentMicroUsd / budget.limitMicroUsd}
            title={budget.account}
          />
        </li>
      ))}
    </ul>
  );
}

function Owner({ budget: { account, kind, period } }: { readonly budget: BudgetView }) {
  const owner = accountOwner(account);
  return (
    <>
      {owner.kind}
      {owner.name !== null && " "}
      {kind === "run" && owner.name !== null ? (
        <Link to="/runs/$id" params={{ id: owner.name }} className="font-mono text-xs text-accent hover:underline">
          {shortId(owner.name)}
        </Link>
      ) : (
        <span className="font-medium text-ink">{owner.name}</span>
      )}
      {period !== null && `, ${periodWords(period)}`}
    </>
  );
}
