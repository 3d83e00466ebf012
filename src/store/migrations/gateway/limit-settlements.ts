/** What is learned from how a call ended, and what it gives back. See limits.ts for the idea. */
export const settlementStatements: readonly string[] = [
  // How one call ended. Names are those of the JSON.
  `create type model_settle_item as (
    key text, credential text, bucket text, used json, "costMicroUsd" bigint, sent boolean, outcome text,
    "pauseUntil" timestamptz, learned json
  )`,

  /*
   * The circuit of a credential, of which the provider says that its quota is used up or its key is wrong. Open until a person
   * resumes it or a call that tried succeeds. What calls from before the circuit opened say does not close it.
   */
  `create function settle_credentials(items json, at timestamptz) returns void language plpgsql as $$
  begin
    insert into sluice.model_credentials as known (credential, circuit, opened_at, opened_version, probe_at)
      select distinct on (item.credential) item.credential, item.outcome, at, claim.credential_version,
        at + case item.outcome when 'auth' then interval '5 minutes' else interval '61 seconds' end
      from json_populate_recordset(null::sluice.model_settle_item, items) as item
      join sluice.model_claims as claim on claim.key = item.key
      left join sluice.model_credentials as before on before.credential = item.credential
      where item.sent and item.outcome in ('quota', 'auth') and claim.claimed_at > coalesce(before.resumed_at, '-infinity')
      order by item.credential
      on conflict (credential) do update set circuit = excluded.circuit, opened_version = excluded.opened_version,
        opened_at = case when known.circuit = 'closed' then excluded.opened_at else known.opened_at end,
        probe_at = case when known.circuit = 'closed' then excluded.probe_at else greatest(known.probe_at, excluded.probe_at) end,
        prober = case when known.circuit = 'closed' then null else known.prober end;
    update sluice.model_credentials as known set circuit = 'closed', prober = null
      from json_populate_recordset(null::sluice.model_settle_item, items) as item join sluice.model_claims as claim on claim.key = item.key
      where known.credential = item.credential and known.circuit <> 'closed' and item.outcome = 'ok' and claim.claimed_at > known.opened_at;
  end $$`,

  // Of what a call took, what is to be added when it is known what it used; negative: given back.
  `create function correction_of(claim sluice.model_claims, item sluice.model_settle_item) returns bigint[] language plpgsql as $$
  begin
    if not item.sent then return sluice.minus_amounts('{0,0,0,0,0,0,0,0}', claim.amounts); end if;
    return sluice.to_amounts(0, coalesce((item.used ->> 'input_tokens')::bigint - claim.amounts[2], 0),
      coalesce((item.used ->> 'output_tokens')::bigint - claim.amounts[3], 0), claim.lane);
  end $$`,

  // Gives back what a call did not use, and its place.
  `create function return_place(b sluice.model_buckets, claim sluice.model_claims, correction bigint[])
    returns sluice.model_buckets language plpgsql as $$
  begin
    if correction <> '{0,0,0,0,0,0,0,0}' then
      update sluice.model_slices as known set used = sluice.plus_amounts(known.used, correction)
        where known.bucket = b.bucket and known.slice = claim.slice;
      if found and claim.slice > b.slice - 62 then b.used := sluice.plus_amounts(b.used, correction); end if;
    end if;
    if not claim.is_freed then
      b.in_flight := b.in_flight - 1;
      b.in_flight_others := b.in_flight_others - least(claim.lane, 1);
      b.unsettled := sluice.minus_amounts(b.unsettled, claim.amounts);
    end if;
    return b;
  end $$`,

  // How much of what is asked for is used, and how long calls take: running means of about the last ten.
  `create function learn_usage(b sluice.model_buckets, claim sluice.model_claims, item sluice.model_settle_item, correction bigint[],
    at timestamptz) returns sluice.model_buckets language plpgsql as $$
  declare
    knows_input boolean := item.used ->> 'input_tokens' is not null;
    knows_output boolean := item.used ->> 'output_tokens' is not null;
  begin
    for k in 2..4 loop
      continue when claim.amounts[k] = 0 or not (array[true, knows_input, knows_output, knows_input and knows_output])[k];
      b.used_share[k] := b.used_share[k] + 0.1 * (least(1, 1 + correction[k]::real / claim.amounts[k]) - b.used_share[k]);
    end loop;
    b.duration_ms := b.duration_ms + 0.1 * (extract(epoch from at - claim.claimed_at) * 1000 - b.duration_ms);
    return b;
  end $$`,

  // Takes what the provider tells of limits and of what is left of them. What is not told changes nothing.
  `create function learn_limits(b sluice.model_buckets, learned json, at timestamptz) returns sluice.model_buckets language plpgsql as $$
  declare
    told record;
    k integer;
    left_over bigint;
  begin
    for told in
      select kind, "limit" as most, remaining, coalesce("resetAt", at + sluice.milliseconds(b.per_ms / 6)) as reset_at
      from json_to_recordset(learned) as one (kind text, "limit" numeric, remaining numeric, "resetAt" timestamptz)
    loop
      k := array_position(array['requests', 'input_tokens', 'output_tokens', 'tokens'], told.kind);
      continue when k is null;
      if told.most >= 1 then
        b.learned[k] := least(told.most, 1e15);
        b.learned_at[k] := at;
      end if;
      left_over := sluice.limit_in_force(b, k, at) - b.used[k];
      continue when told.remaining is null or told.remaining < 0 or left_over is null;
      -- Others use the same key, or the provider counts otherwise. A count of which the time is over says nothing.
      b.outside[k] := greatest(0, left_over - told.remaining);
      b.outside_until[k] := case when b.outside[k] > 0 and told.reset_at > at then least(told.reset_at, at + interval '1 hour') end;
    end loop;
    return b;
  end $$`,

  // The newest ten refusals of a bucket for a limit.
  `create function note_refusal(b sluice.model_buckets, item sluice.model_settle_item, at timestamptz) returns json language sql stable as $$
    select json_agg(one order by place) from (
      select json_build_object('at', at, 'reason', item.outcome,
        'retryAfterMs', round(extract(epoch from item."pauseUntil" - at) * 1000)) as one, 0 as place
      union all select value, ordinality from json_array_elements(b.recent) with ordinality order by place limit 10) as newest
  $$`,

  /*
   * Calls that may be under way at once: fewer by three tenths with each round of calls that meets trouble, more by one with
   * each round that does not (additive increase, multiplicative decrease, as in RFC 5681). Where no number is configured, eight
   * stay: that a lone call failed tells nothing of how many the provider bears.
   */
  `create function adapt_concurrency(b sluice.model_buckets, claim sluice.model_claims, item sluice.model_settle_item, at timestamptz)
    returns sluice.model_buckets language plpgsql as $$
  begin
    if item.outcome = 'unavailable' or (item.outcome = 'rate_limited' and coalesce(item."pauseUntil" <= at, true)) then
      -- Calls of the same round meet the same trouble: it counts once.
      if b.cut_at is null or claim.claimed_at > b.cut_at then
        b.cut_from := coalesce(b.cut_from, b.in_flight + 1);
        b.concurrency := greatest(case when b.configured_concurrency is null then 8 else 1 end,
          least(b.concurrency, b.configured_concurrency, b.in_flight + 1) * 0.7);
        b.cut_at := at;
      end if;
    elsif item.outcome = 'ok' and b.concurrency is not null then
      b.concurrency := b.concurrency + 1 / b.concurrency;
      if b.concurrency >= coalesce(b.configured_concurrency, 2 * b.cut_from) then
        b.concurrency := null;
        b.cut_from := null;
      end if;
    end if;
    return b;
  end $$`,

  /*
   * The circuit of a bucket: open after five calls in a row that found the provider unavailable, or more than half of the last
   * 20, for 10 s; then one call tries. When it fails, open twice as long, up to 5 min; else closed.
   */
  `create function turn_circuit(b sluice.model_buckets, item sluice.model_settle_item, at timestamptz)
    returns sluice.model_buckets language plpgsql as $$
  declare
    has_failed boolean := item.outcome = 'unavailable';
  begin
    b.outcomes := ((b.outcomes << 1) | has_failed::integer) & 1048575;
    if b.probe = item.key and not has_failed then
      return sluice.close_circuit(b);
    elsif b.probe = item.key then
      b.probe := null;
      b.open_for_ms := least(b.open_for_ms * 2, 300000);
      b.open_until := at + sluice.milliseconds(b.open_for_ms);
    elsif b.open_until is null and has_failed and (b.outcomes & 31 = 31 or bit_count(b.outcomes::bit(20)) > 10) then
      b.open_for_ms := 10000;
      b.open_until := at + interval '10 seconds';
    end if;
    return b;
  end $$`,
  `create function close_circuit(b sluice.model_buckets) returns sluice.model_buckets language plpgsql as $$
  begin
    b.open_for_ms := null;
    b.open_until := null;
    b.probe := null;
    b.outcomes := 0;
    return b;
  end $$`,

  // Takes in all that the end of a call says of its bucket.
  `create function learn_from(b sluice.model_buckets, claim sluice.model_claims, item sluice.model_settle_item, correction bigint[],
    at timestamptz) returns sluice.model_buckets language plpgsql as $$
  begin
    if item.outcome = 'ok' then b := sluice.learn_usage(b, claim, item, correction, at); end if;
    if json_array_length(item.learned) > 0 then b := sluice.learn_limits(b, item.learned, at); end if;
    -- All is well, as nearly always.
    if item.outcome = 'ok' and b.concurrency is null and b.outcomes = 0 and b.probe is null then return b; end if;
    b := sluice.adapt_concurrency(b, claim, item, at);
    b := sluice.turn_circuit(b, item, at);
    b.paused_until := greatest(b.paused_until, item."pauseUntil");
    if item.outcome in ('rate_limited', 'quota') then b.recent := sluice.note_refusal(b, item, at); end if;
    return b;
  end $$`,

  // What is not known stays at the most that it can have cost.
  `create function cost_correction_of(claim sluice.model_claims, item sluice.model_settle_item) returns bigint language plpgsql as $$
  begin
    if not item.sent then return -claim.cost_micro_usd; end if;
    return coalesce(item."costMicroUsd", claim.cost_micro_usd) - claim.cost_micro_usd;
  end $$`,

  /*
   * Records how calls ended: gives back what they did not use of limits and budgets, and learns from what the provider said.
   * A call that was settled before, or was never let through, changes nothing.
   */
  `create function settle_model_calls(items json) returns void language plpgsql
    set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off as $$
  declare
    at timestamptz := sluice.gateway_now();
    one record;
    item sluice.model_settle_item;
    claim sluice.model_claims;
    b sluice.model_buckets;
    correction bigint[];
    accounts text[] := '{}';
    charges bigint[] := '{}';
  begin
    select array_agg(distinct credential) as credentials, array_agg(distinct bucket) as buckets,
        bool_or(outcome in ('quota', 'auth')) as has_failed into one
      from json_to_recordset(items) as ended (credential text, bucket text, outcome text);
    if sluice.lock_credentials(one.credentials) <> '{}' or one.has_failed then perform sluice.settle_credentials(items, at); end if;
    perform sluice.lock_buckets(one.buckets);
    at := sluice.gateway_now();
    for one in select value from json_array_elements(items) with ordinality order by value ->> 'bucket', ordinality loop
      item := json_populate_record(null::sluice.model_settle_item, one.value);
      delete from sluice.model_claims as known where known.key = item.key and known.bucket = item.bucket returning * into claim;
      continue when not found;
      if b.bucket is distinct from claim.bucket then
        if b.bucket is not null then perform sluice.save_settled(b); end if;
        select * into b from sluice.model_buckets as known where known.bucket = claim.bucket;
        b := sluice.roll_bucket(b, b.per_ms, at);
      end if;
      correction := sluice.correction_of(claim, item);
      b := sluice.return_place(b, claim, correction);
      if item.sent then
        b := sluice.learn_from(b, claim, item, correction, at);
      elsif b.probe = item.key then
        -- It did not try after all.
        b.probe := null;
      end if;
      continue when claim.accounts = '{}';
      accounts := accounts || claim.accounts;
      charges := charges || array_fill(sluice.cost_correction_of(claim, item), array[cardinality(claim.accounts)]);
    end loop;
    if b.bucket is not null then perform sluice.save_settled(b); end if;
    if accounts <> '{}' then perform sluice.charge_accounts(accounts, charges, at); end if;
  end $$`,

  `create function save_settled(b sluice.model_buckets) returns void language plpgsql as $$
  begin
    update sluice.model_buckets as known set seen_at = b.seen_at, slice = b.slice, used = b.used, unsettled = b.unsettled,
      used_share = b.used_share, learned = b.learned, learned_at = b.learned_at, outside = b.outside, outside_until = b.outside_until,
      in_flight = b.in_flight, in_flight_others = b.in_flight_others, concurrency = b.concurrency, cut_from = b.cut_from,
      cut_at = b.cut_at, duration_ms = b.duration_ms, paused_until = b.paused_until, outcomes = b.outcomes,
      open_for_ms = b.open_for_ms, open_until = b.open_until, probe = b.probe, recent = b.recent
    where known.bucket = b.bucket;
  end $$`,

  `create function settle_model_call(item json) returns void language sql volatile as $$
    select sluice.settle_model_calls(json_build_array(item))
  $$`,

  // Closes the circuit of a credential and its buckets, or of one bucket. False when none was open.
  `create function resume_models(name text) returns boolean language plpgsql as $$
  declare
    is_resumed boolean := sluice.lock_credentials(array[name]) <> '{}';
    b sluice.model_buckets;
  begin
    update sluice.model_credentials as known set circuit = 'closed', prober = null, resumed_at = sluice.gateway_now()
      where known.credential = name and known.circuit <> 'closed';
    for b in
      select * from sluice.model_buckets as known where name in (known.bucket, known.credential) and known.open_until is not null
      order by known.bucket for update
    loop
      perform sluice.save_settled(sluice.close_circuit(b));
      is_resumed := true;
    end loop;
    return is_resumed;
  end $$`,
];
