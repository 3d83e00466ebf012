import { sql } from "kysely";
import { query, type Scope } from "./scope.ts";

/** A budget that counts now, and how much of it is spent or set aside for calls under way. */
export interface PresentBudget {
  /** Such as `flow/lead-routing/2026-03-09`, `run/run_01k9...`. */
  readonly account: string;
  readonly kind: (typeof kinds)[number];
  /** A day or month of UTC; null for the budget of a run. */
  readonly period: string | null;
  /** The configured limit, and what people allowed on top of it. Whole micro-dollars. */
  readonly limitMicroUsd: number;
  readonly spentMicroUsd: number;
}

const kinds = ["run", "flow", "key", "all"] as const;
/** More than anybody reads. */
const mostBudgets = 200;

/** The budgets of today and of this month, and of runs that have nothing left; the fullest first, at most 200. */
export function readPresentBudgets({ db }: Pick<Scope, "db">, now: Date): Promise<PresentBudget[]> {
  const day = now.toISOString().slice(0, 10);
  return query(async () => {
    const { rows } = await sql<Omit<PresentBudget, "kind" | "period">>`
      select account, limit_micro_usd + allowed_micro_usd as limit_micro_usd, spent_micro_usd
      from sluice.budget_accounts
      where case when starts_with(account, 'run/') then spent_micro_usd >= limit_micro_usd + allowed_micro_usd
        else account like any(${[`%/${day}`, `%/${day.slice(0, 7)}`]}::text[]) end
      order by spent_micro_usd::float8 / greatest(1, limit_micro_usd + allowed_micro_usd) desc, account
      limit ${mostBudgets}`.execute(db);
    return rows.flatMap((row) => {
      const kind = kinds.find((one) => row.account.startsWith(`${one}/`));
      const period = kind === "run" ? null : row.account.slice(row.account.lastIndexOf("/") + 1);
      return kind === undefined ? [] : [{ ...row, kind, period }];
    });
  });
}
