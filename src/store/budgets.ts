import { sql } from "kysely";
import { query, type Scope } from "./scope.ts";

/** A budget of a run, a flow, a key or all, for a day or month of UTC: `flow/lead-routing/2026-03-09`, `run/run_01k9...`. */
export interface BudgetAccount {
  readonly account: string;
  /** What may be spent: the configured limit, and what people allowed on top of it. Whole micro-dollars, as all sums here. */
  readonly limitMicroUsd: number;
  readonly allowedMicroUsd: number;
  /** Costs, with the most that calls under way can cost. */
  readonly spentMicroUsd: number;
  /** When it is used up at the rate of the last five to ten minutes; null: not before its period is over. */
  readonly endsAt: Date | null;
}

/** More than anybody reads. */
const mostAccounts = 1000;

/**
 * Budgets of AI calls. Calls take from them by `claim_model_calls` of migration 0003, and a process that dies leaves the most
 * that its calls can have cost spent.
 */
export function createBudgetStore({ db }: Pick<Scope, "db">) {
  return {
    /** Accounts whose names begin with a prefix, the fullest first, at most 1,000. Default: all. */
    accounts: (prefix = ""): Promise<BudgetAccount[]> =>
      query(async () => {
        const { rows } = await sql<AccountRow>`
          select account, limit_micro_usd + allowed_micro_usd as limit_micro_usd, allowed_micro_usd, spent_micro_usd, present.at,
            (spent_micro_usd - earlier_micro_usd)::float8 / greatest(60, extract(epoch from present.at - earlier_at)) as per_second
          from sluice.budget_accounts cross join (select sluice.gateway_now() as at) as present
          where starts_with(account, ${prefix})
          order by spent_micro_usd::float8 / greatest(1, limit_micro_usd + allowed_micro_usd) desc, account
          limit ${mostAccounts}`.execute(db);
        return rows.map(({ at, perSecond, ...account }) => ({ ...account, endsAt: toEnd(account, at, perSecond) }));
      }),

    /**
     * Lets more be spent of an account. The same key counts once, however often it is told. False when there is no such account.
     *
     * @param extraMicroUsd whole micro-dollars, on top of what was allowed before.
     * @param key names the decision, such as the signal that brought it.
     */
    allow: (account: string, extraMicroUsd: number, key: string): Promise<boolean> =>
      query(async () => {
        const { rows } = await sql<{ known: boolean }>`
          with allowance as (
            insert into sluice.budget_allowances (account, key, extra_micro_usd, allowed_at)
            select account, ${key}, ${extraMicroUsd}, sluice.gateway_now() from sluice.budget_accounts where account = ${account}
            on conflict do nothing returning account, extra_micro_usd
          ), raised as (
            update sluice.budget_accounts as known set allowed_micro_usd = known.allowed_micro_usd + allowance.extra_micro_usd,
              updated_at = sluice.gateway_now()
            from allowance where known.account = allowance.account
          )
          select exists (select from sluice.budget_accounts where account = ${account}) as known`.execute(db);
        return rows[0]?.known ?? false;
      }),
  };
}

interface AccountRow extends Omit<BudgetAccount, "endsAt"> {
  readonly at: Date;
  readonly perSecond: number;
}

function toEnd(
  { account, limitMicroUsd, spentMicroUsd }: Omit<BudgetAccount, "endsAt">,
  at: Date,
  perSecond: number,
): Date | null {
  if (perSecond <= 0) return null;
  const endsAt = new Date(at.getTime() + (Math.max(0, limitMicroUsd - spentMicroUsd) / perSecond) * 1000);
  const periodEndsAt = toPeriodEnd(account);
  return periodEndsAt !== null && endsAt >= periodEndsAt ? null : endsAt;
}

/** The end of the day or month of UTC that an account is for; null for that of a run. */
function toPeriodEnd(account: string): Date | null {
  const [, year, month, day] = /\/(\d{4})-(\d{2})(?:-(\d{2}))?$/.exec(account) ?? [];
  if (year === undefined) return null;
  return day === undefined
    ? new Date(Date.UTC(Number(year), Number(month), 1))
    : new Date(Date.UTC(Number(year), Number(month) - 1, Number(day) + 1));
}
