/** Budgets: the most that a call can cost is set aside before it leaves, and corrected when it is known. */
export const budgetStatements: readonly string[] = [
  // The accounts that calls are paid from, in the order of names, as they stand inside a statement.
  `create type purse as (accounts text[], spent bigint[], allowed bigint[], charges bigint[])`,

  // The accounts of all calls of a statement, locked. Those that are new are opened.
  `create function open_purse(items json, at timestamptz) returns sluice.purse language plpgsql as $$
  declare
    names text[];
    limits bigint[];
    stored bigint[];
    oldest_mark timestamptz;
    purse sluice.purse;
  begin
    select array_agg(account order by account), array_agg(most order by account) into names, limits from (
      select account, max("limitMicroUsd") as most from json_to_recordset(items) as item (accounts json)
      cross join lateral json_to_recordset(item.accounts) as paying (account text, "limitMicroUsd" bigint) group by account) as asked;
    if names is null then return null; end if;
    loop
      select array_agg(account), array_agg(spent_micro_usd), array_agg(allowed_micro_usd), array_agg(0), array_agg(limit_micro_usd), min(mark_at)
        into purse.accounts, purse.spent, purse.allowed, purse.charges, stored, oldest_mark
        from (
          select known.* from sluice.budget_accounts as known where known.account = any(names) order by known.account for update) as locked;
      exit when cardinality(purse.accounts) = cardinality(names);
      insert into sluice.budget_accounts (account, limit_micro_usd, mark_at, earlier_at)
        select account, most, at, at from unnest(names, limits) as asked (account, most) order by account on conflict do nothing;
    end loop;
    if stored <> limits then
      update sluice.budget_accounts as known set limit_micro_usd = asked.most from unnest(names, limits) as asked (account, most)
        where known.account = asked.account and known.limit_micro_usd <> asked.most;
    end if;
    if oldest_mark < at - interval '5 minutes' then
      update sluice.budget_accounts as known set earlier_at = mark_at, earlier_micro_usd = mark_micro_usd, mark_at = at, mark_micro_usd = spent_micro_usd
        where known.account = any(names) and known.mark_at < at - interval '5 minutes';
    end if;
    return purse;
  end $$`,

  // Takes the most that a call can cost from all its accounts; or gives the first that has not enough, and takes nothing.
  `create function pay(inout purse sluice.purse, item sluice.model_claim_item, out refusal json) language plpgsql as $$
  declare
    paying record;
    places integer[] := '{}';
    place integer;
  begin
    for paying in select account, "limitMicroUsd" as most from json_to_recordset(item.accounts) as one (account text, "limitMicroUsd" bigint) loop
      place := array_position(purse.accounts, paying.account);
      if item."costMicroUsd" is null then
        refusal := '{"ok":false,"because":"price_unknown"}';
        return;
      elsif purse.spent[place] + item."costMicroUsd" > paying.most + purse.allowed[place] then
        refusal := json_build_object('ok', false, 'because', 'budget', 'account', paying.account,
          'limitMicroUsd', paying.most + purse.allowed[place], 'spentMicroUsd', purse.spent[place]);
        return;
      end if;
      places := places || place;
    end loop;
    foreach place in array places loop
      purse.spent[place] := purse.spent[place] + item."costMicroUsd";
      purse.charges[place] := purse.charges[place] + item."costMicroUsd";
    end loop;
  end $$`,

  // Adds to what is spent of accounts. One may come several times. Rows are locked in the order of names.
  `create function charge_accounts(accounts text[], amounts bigint[], at timestamptz) returns void language plpgsql as $$
  begin
    update sluice.budget_accounts as known set spent_micro_usd = known.spent_micro_usd + charge.amount, updated_at = at
      from (
        select account, sum(amount)::bigint as amount from unnest(accounts, amounts) as one (account, amount)
        group by account having sum(amount) <> 0 order by account) as charge
      where known.account = charge.account;
  end $$`,
];
