import { budgetStatements } from "./limit-budgets.ts";
import { claimStatements } from "./limit-claims.ts";
import { lineStatements } from "./limit-line.ts";
import { settlementStatements } from "./limit-settlements.ts";

/*
 * Limits, budgets and circuit breakers, held over all processes.
 *
 * A *bucket* is what a provider counts by: a key and a model; its limits have one window. Its row holds sums over the present
 * window; what they are made of stands in slices of a sixtieth of it. A call of a slice counts until the window and a guard of
 * one slice have passed since the slice's end, so that any window holds at most the limit, also when a request leaves up to a
 * slice later than it was let through. A place comes back after 62 slices at most: 96.8 % of the limit can be used.
 *
 * Whether a call may leave depends on what has left alone. Who finds no room gets a *ticket* with a turn: when there will be
 * room after all who wait before it. Turns are estimates; room that nobody whose turn has come can use is anybody's, and who
 * comes at its turn and finds no room goes first from then on.
 *
 * Amounts are arrays of eight: requests, input tokens, output tokens and tokens of all lanes, then the same of the standard
 * and batch lanes, which may not take the share of the interactive one.
 */

const tables: readonly string[] = [
  // Only of credentials that failed once: no row is a closed circuit.
  `create table model_credentials (
    credential text primary key,
    circuit text not null check (circuit in ('closed','quota','auth')),
    opened_at timestamptz not null,
    -- Digest of the key that failed, where the caller gave one: another key is not stopped.
    opened_version text,
    -- From when on one request may try.
    probe_at timestamptz not null,
    -- Who was told to come back at that time, so that not all do.
    prober text,
    resumed_at timestamptz
  )`,
  // Every call of a bucket writes its row. Free space in the page keeps its versions in place, without touching the index.
  `create table model_buckets (
    bucket text primary key,
    credential text not null default '',
    seen_at timestamptz not null,
    per_ms integer not null default 60000,
    -- The newest slice that the sums reach to.
    slice bigint not null default 0,
    used bigint[] not null default '{0,0,0,0,0,0,0,0}',
    -- What calls under way hold of it, as they asked for.
    unsettled bigint[] not null default '{0,0,0,0,0,0,0,0}',
    -- What of an amount that was asked for is used in the end; learned.
    used_share real[] not null default '{1,1,1,1}',
    configured bigint[] not null default '{null,null,null,null}',
    configured_concurrency integer,
    -- Limits that the provider told.
    learned bigint[] not null default '{null,null,null,null}',
    learned_at timestamptz[] not null default '{null,null,null,null}',
    -- What others use of the same limits, as far as the provider's count says so, and until when.
    outside bigint[] not null default '{0,0,0,0}',
    outside_until timestamptz[] not null default '{null,null,null,null}',
    in_flight integer not null default 0,
    -- Of these, standard and batch.
    in_flight_others integer not null default 0,
    -- What is left of the concurrency after trouble; null: nothing was taken away.
    concurrency real,
    -- How many were under way when it was cut first: twice of that without trouble, and it is lifted.
    cut_from integer,
    cut_at timestamptz,
    -- How long a call takes, on average.
    duration_ms real not null default 1000,
    paused_until timestamptz,
    -- The last 20 outcomes as bits, the newest last: 1 found the provider unavailable.
    outcomes integer not null default 0,
    -- How long the circuit is open this time, and until when; null: closed.
    open_for_ms integer,
    open_until timestamptz,
    probe text,
    probe_until timestamptz,
    -- The last refusals for a limit, the newest first.
    recent json not null default '[]'
  ) with (fillfactor = 20)`,
  `create table model_slices (
    bucket text not null,
    slice bigint not null,
    used bigint[] not null,
    primary key (bucket, slice)
  ) with (fillfactor = 50)`,
  `create table model_tickets (
    bucket text not null,
    ticket text not null,
    lane smallint not null,
    requests bigint not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    booked_at timestamptz not null,
    -- When there should be room for it. Never moves: from then on it goes before those who come later.
    turn timestamptz not null,
    -- When it was told to come back. A ticket that does not is void after a while.
    until timestamptz not null,
    primary key (bucket, ticket)
  )`,
  `create index model_tickets_by_turn on model_tickets (bucket, turn)`,
  // A call under way: what it took, to be corrected when it is settled.
  `create table model_claims (
    key text primary key,
    bucket text not null,
    lane smallint not null,
    slice bigint not null,
    amounts bigint[] not null,
    accounts text[] not null,
    cost_micro_usd bigint not null,
    credential_version text,
    claimed_at timestamptz not null,
    lease_until timestamptz not null,
    -- Whether the lease ended before it was settled: its place and what it held count no more.
    is_freed boolean not null default false
  )`,
  `create index model_claims_leased on model_claims (bucket, lease_until) where not is_freed`,
  `create table budget_accounts (
    account text primary key,
    limit_micro_usd bigint not null,
    -- What people allowed on top of it.
    allowed_micro_usd bigint not null default 0,
    -- Costs, and the most that calls under way can cost.
    spent_micro_usd bigint not null default 0,
    updated_at timestamptz not null default now(),
    -- What had been spent at most five minutes ago, and up to five before that: how fast it goes of late.
    mark_at timestamptz not null default now(),
    mark_micro_usd bigint not null default 0,
    earlier_at timestamptz not null default now(),
    earlier_micro_usd bigint not null default 0
  ) with (fillfactor = 50)`,
  // What people allowed, each word of theirs once.
  `create table budget_allowances (
    account text not null,
    key text not null,
    extra_micro_usd bigint not null,
    allowed_at timestamptz not null,
    primary key (account, key)
  )`,
];

const parts: readonly string[] = [
  // What one call asks for. Names are those of the JSON.
  `create type model_claim_item as (
    key text, ticket text, credential text, "credentialVersion" text, bucket text, lane integer, limits json,
    concurrency integer, "interactiveShare" double precision, amounts json, "leaseMs" bigint, accounts json, "costMicroUsd" bigint
  )`,

  // The one clock of all this. Tests put another one in its place.
  `create function gateway_now() returns timestamptz language sql volatile as 'select clock_timestamp()'`,
  `create function plus_amounts(a bigint[], b bigint[]) returns bigint[] language plpgsql immutable as $$
  begin
    return array[a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5], a[6] + b[6], a[7] + b[7], a[8] + b[8]];
  end $$`,
  `create function minus_amounts(a bigint[], b bigint[]) returns bigint[] language plpgsql immutable as $$
  begin
    return array[a[1] - b[1], a[2] - b[2], a[3] - b[3], a[4] - b[4], a[5] - b[5], a[6] - b[6], a[7] - b[7], a[8] - b[8]];
  end $$`,
  `create aggregate sum_amounts (bigint[]) (sfunc = sluice.plus_amounts, stype = bigint[], initcond = '{0,0,0,0,0,0,0,0}')`,
  `create function to_amounts(requests bigint, input bigint, output bigint, lane integer) returns bigint[] language plpgsql immutable as $$
  begin
    if lane = 0 then return array[requests, input, output, input + output, 0, 0, 0, 0]; end if;
    return array[requests, input, output, input + output, requests, input, output, input + output];
  end $$`,
  // In plpgsql, as what only plpgsql calls: a function in SQL is prepared anew for each call, which takes longer than it does.
  `create function slice_at(at timestamptz, per_ms integer) returns bigint language plpgsql immutable as $$
  begin
    return floor(extract(epoch from at) * 60000 / per_ms);
  end $$`,
  `create function slice_begins(slice bigint, per_ms integer) returns timestamptz language sql immutable as $$
    select to_timestamp(slice * per_ms / 60000.0)
  $$`,
  `create function milliseconds(count double precision) returns interval language sql immutable as $$
    select make_interval(secs => count / 1000)
  $$`,

  // How long after it was told to come a ticket keeps its turn, and for how long room is held for it: nobody else may take it.
  `create function ticket_grace(per_ms integer) returns interval language sql immutable as $$
    select make_interval(secs => greatest(1000, per_ms / 4) / 1000.0)
  $$`,
  `create function ticket_hold(per_ms integer) returns interval language sql immutable as $$
    select make_interval(secs => per_ms / 30 / 1000.0)
  $$`,

  /*
   * Locks come in one order everywhere: credentials, buckets, accounts, each by name. Whoever takes several of a kind takes them
   * all at once, here. Gives the credentials whose circuit is open.
   */
  `create function lock_credentials(names text[]) returns text[] language plpgsql as $$
  begin
    return array(select known.credential from sluice.model_credentials as known
      where known.credential = any(names) and known.circuit <> 'closed' order by known.credential for update);
  end $$`,
  `create function lock_buckets(names text[]) returns void language plpgsql as $$
  declare
    locked integer;
  begin
    perform from sluice.model_buckets as known where known.bucket = any(names) order by known.bucket for update;
    get diagnostics locked = row_count;
    if locked < cardinality(names) then
      insert into sluice.model_buckets as known (bucket, seen_at)
        select name, sluice.gateway_now() from unnest(names) as name order by name
        on conflict (bucket) do update set seen_at = excluded.seen_at;
    end if;
  end $$`,
];

export const statements: readonly string[] = [
  ...tables,
  ...parts,
  ...budgetStatements,
  ...lineStatements,
  ...claimStatements,
  ...settlementStatements,
];
