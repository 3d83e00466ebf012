/** An account of money: `flow/lead-routing/2026-03-09`, `run/run_01k9...`. */
interface Account {
  readonly account: string;
  readonly limitMicroUsd: number;
  /** What was spent of it, and what is set aside for calls under way. */
  readonly spentMicroUsd: number;
}

/** A budget that counts now. */
export interface PresentBudget extends Account {
  readonly kind: (typeof kinds)[number];
  /** A day or month of UTC; null for the budget of a run. */
  readonly period: string | null;
}

const kinds = ["run", "flow", "key", "all"] as const;
/** More than anybody reads. */
const mostBudgets = 200;

/** The budgets of today and of this month, and of runs that have nothing left; the fullest first, at most 200. */
export function presentBudgets(accounts: readonly Account[], now: Date): PresentBudget[] {
  const day = now.toISOString().slice(0, 10);
  const present: ReadonlySet<string> = new Set([day, day.slice(0, 7)]);
  return accounts
    .flatMap(toBudget)
    .filter(({ period, spentMicroUsd, limitMicroUsd }) =>
      period === null ? spentMicroUsd >= limitMicroUsd : present.has(period),
    )
    .toSorted((a, b) => fullness(b) - fullness(a))
    .slice(0, mostBudgets);
}

function toBudget({ account, limitMicroUsd, spentMicroUsd }: Account): PresentBudget[] {
  const kind = kinds.find((one) => account.startsWith(`${one}/`));
  if (kind === undefined) return [];
  const period = kind === "run" ? null : account.slice(account.lastIndexOf("/") + 1);
  return [{ account, kind, period, limitMicroUsd, spentMicroUsd }];
}

const fullness = ({ spentMicroUsd, limitMicroUsd }: Account): number => spentMicroUsd / Math.max(1, limitMicroUsd);
