/** How a call takes its place under limits and budgets, before it leaves. See limits.ts for the idea. */
export const claimStatements: readonly string[] = [
  // Brings a bucket to the present: what has left the window counts no more, nor what a call holds whose lease is over.
  `create function roll_bucket(b sluice.model_buckets, per_ms integer, at timestamptz) returns sluice.model_buckets language plpgsql as $$
  declare
    present bigint := sluice.slice_at(at, per_ms);
    gone bigint[];
    freed record;
  begin
    if per_ms <> b.per_ms or present < b.slice - 62 then
      -- Another window, or a clock that was put back: all that counted is taken to have happened just now.
      delete from sluice.model_slices as old where old.bucket = b.bucket;
      insert into sluice.model_slices (bucket, slice, used) values (b.bucket, present, b.used);
      delete from sluice.model_tickets as old where old.bucket = b.bucket;
      b.per_ms := per_ms;
      b.slice := present;
    elsif present > b.slice then
      select sluice.sum_amounts(old.used) into gone from sluice.model_slices as old
        where old.bucket = b.bucket and old.slice between b.slice - 61 and present - 62;
      b.used := sluice.minus_amounts(b.used, gone);
      b.slice := present;
      -- Ten windows are kept to see how fast it goes.
      delete from sluice.model_slices as old where old.bucket = b.bucket and old.slice < present - 662;
      delete from sluice.model_tickets as old where old.bucket = b.bucket and old.until < at - sluice.ticket_grace(per_ms);
      if b.in_flight > 0 then
        with ended as (
          update sluice.model_claims as claim set is_freed = true
          where claim.bucket = b.bucket and not claim.is_freed and claim.lease_until <= at
          returning claim.lane, claim.amounts)
        select count(*) as calls, count(*) filter (where lane > 0) as others, sluice.sum_amounts(amounts) as held into freed from ended;
        b.in_flight := b.in_flight - freed.calls;
        b.in_flight_others := b.in_flight_others - freed.others;
        b.unsettled := sluice.minus_amounts(b.unsettled, freed.held);
      end if;
    end if;
    b.seen_at := at;
    return b;
  end $$`,

  // Limits of the configuration, in the order of amounts.
  `create function to_limits(configured json) returns bigint[] language plpgsql immutable as $$
  declare
    limits bigint[] := array_fill(null::bigint, array[4]);
    one record;
  begin
    for one in select kind, "limit" as most from json_to_recordset(configured) as told (kind text, "limit" bigint) loop
      limits[array_position(array['requests', 'input_tokens', 'output_tokens', 'tokens'], one.kind)] := one.most;
    end loop;
    return limits;
  end $$`,

  // A call that is larger than a whole limit never finds room.
  `create function refusal_of_size(b sluice.model_buckets, amounts bigint[]) returns json language plpgsql as $$
  begin
    for k in 1..4 loop
      if amounts[k] > b.configured[k] then
        return json_build_object('ok', false, 'because', 'too_low',
          'kind', (array['requests', 'input_tokens', 'output_tokens', 'tokens'])[k], 'limit', b.configured[k]);
      end if;
    end loop;
    return null;
  end $$`,

  // Of a credential that failed, the next call may try in a minute; with a wrong key, in five.
  `create function begin_probe(item sluice.model_claim_item, at timestamptz) returns void language plpgsql as $$
  begin
    update sluice.model_credentials as known
      set prober = null, probe_at = at + case circuit when 'auth' then interval '5 minutes' else interval '61 seconds' end
      where known.credential = item.credential and known.circuit <> 'closed' and known.probe_at <= at
        and known.opened_version is not distinct from coalesce(item."credentialVersion", known.opened_version);
  end $$`,

  /*
   * Why a call may not even stand in line: the credential's or the bucket's circuit is open, or the provider said to wait.
   * Of an open circuit one call may try when the time has come.
   */
  `create function refusal_of_circuit(b sluice.model_buckets, item sluice.model_claim_item, opened text[], at timestamptz)
    returns json language plpgsql as $$
  declare
    known sluice.model_credentials;
    until timestamptz;
    reason text;
  begin
    if item.credential = any(opened) then
      select * into known from sluice.model_credentials as one where one.credential = item.credential
        and one.opened_version is not distinct from coalesce(item."credentialVersion", one.opened_version);
    end if;
    if known.probe_at > at then
      reason := known.circuit;
      until := at + interval '10 minutes' * (0.75 + 0.5 * random());
      if coalesce(known.prober = item.ticket, true) then
        until := known.probe_at;
        if known.prober is null then
          update sluice.model_credentials as one set prober = item.ticket where one.credential = known.credential;
        end if;
      end if;
    elsif b.paused_until > at then
      return json_build_object('ok', false, 'because', 'paused', 'reason', 'rate_limited',
        'until', least(b.paused_until + sluice.milliseconds(b.per_ms / 60.0 * random()), at + interval '1 hour'));
    elsif b.open_until > at then
      reason := 'unavailable';
      until := b.open_until + sluice.milliseconds(b.open_for_ms * 0.25 * random());
    elsif b.probe is not null and b.probe_until > at then
      -- The call that tries is under way.
      reason := 'unavailable';
      until := at + sluice.milliseconds(least(greatest(b.duration_ms, 500), 10000) * (1 + random()));
    end if;
    if reason is null then return null; end if;
    return json_build_object('ok', false, 'because', 'circuit', 'reason', reason, 'until', until);
  end $$`,

  `create function save_claimed(b sluice.model_buckets, fresh bigint[]) returns void language plpgsql as $$
  begin
    update sluice.model_buckets as known set credential = b.credential, seen_at = b.seen_at, per_ms = b.per_ms, slice = b.slice,
      used = b.used, unsettled = b.unsettled, configured = b.configured, configured_concurrency = b.configured_concurrency,
      in_flight = b.in_flight, in_flight_others = b.in_flight_others, probe = b.probe, probe_until = b.probe_until
    where known.bucket = b.bucket;
    if fresh[1] > 0 then
      insert into sluice.model_slices as known (bucket, slice, used) values (b.bucket, b.slice, fresh)
        on conflict (bucket, slice) do update set used = sluice.plus_amounts(known.used, excluded.used);
    end if;
  end $$`,

  /*
   * Takes limits and budgets for calls, each all or nothing, and gives an answer for each in their order:
   * { ok: true, sendWithinMs } | { ok: false, because, ... }. A request that leaves later than sendWithinMs after it was asked
   * for may stand in a window in which it was not counted.
   *
   * A call that was let through already is let through again, and counts once.
   */
  `create function claim_model_calls(items json) returns json language plpgsql
    set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off as $$
  declare
    answers json[] := array_fill(null::json, array[json_array_length(items)]);
    opened text[];
    purse sluice.purse;
    paid record;
    waiting record;
    at timestamptz;
    one record;
    item sluice.model_claim_item;
    b sluice.model_buckets;
    line bigint[];
    fresh bigint[];
    amounts bigint[];
    refusal json;
  begin
    select array_agg(distinct credential) as credentials, array_agg(distinct bucket) as buckets into one
      from json_to_recordset(items) as asked (credential text, bucket text);
    opened := sluice.lock_credentials(one.credentials);
    perform sluice.lock_buckets(one.buckets);
    purse := sluice.open_purse(items, sluice.gateway_now());
    -- Not before all locks are held: who had them before may have gone further.
    at := sluice.gateway_now();
    for one in select value, ordinality as place from json_array_elements(items) with ordinality order by value ->> 'bucket', ordinality loop
      item := json_populate_record(null::sluice.model_claim_item, one.value);
      if b.bucket is distinct from item.bucket then
        if b.bucket is not null then perform sluice.save_claimed(b, fresh); end if;
        select * into b from sluice.model_buckets as known where known.bucket = item.bucket;
        b := sluice.roll_bucket(b, coalesce((item.limits -> 0 ->> 'perMs')::integer, b.per_ms), at);
        b.credential := item.credential;
        line := sluice.line_at(b, at);
        fresh := '{0,0,0,0,0,0,0,0}';
      end if;
      b.configured := sluice.to_limits(item.limits);
      b.configured_concurrency := item.concurrency;
      answers[one.place] := json_build_object('ok', true, 'sendWithinMs', b.per_ms / 60);
      continue when exists (select from sluice.model_claims as known where known.key = item.key);

      amounts := sluice.to_amounts(coalesce((item.amounts ->> 'requests')::bigint, 1),
        coalesce((item.amounts ->> 'input_tokens')::bigint, 0), coalesce((item.amounts ->> 'output_tokens')::bigint, 0), item.lane);
      refusal := coalesce(sluice.refusal_of_circuit(b, item, opened, at), sluice.refusal_of_size(b, amounts));
      if refusal is null then
        paid := sluice.pay(purse, item);
        refusal := paid.refusal;
        -- Without money it is not room that it waits for.
        if refusal is not null then line := sluice.leave_line(b, item.ticket, line, at); end if;
      end if;
      if refusal is null then
        waiting := sluice.stand_in_line(b, item, amounts, line, at);
        line := waiting.line;
        refusal := waiting.refusal;
      end if;
      if refusal is not null then
        answers[one.place] := refusal;
        continue;
      end if;

      purse := paid.purse;
      b.used := sluice.plus_amounts(b.used, amounts);
      fresh := sluice.plus_amounts(fresh, amounts);
      b.unsettled := sluice.plus_amounts(b.unsettled, amounts);
      b.in_flight := b.in_flight + 1;
      b.in_flight_others := b.in_flight_others + least(item.lane, 1);
      -- With an open circuit it is the one call that may try.
      if b.open_until is not null then
        b.probe := item.key;
        b.probe_until := at + sluice.milliseconds(item."leaseMs");
      end if;
      if item.credential = any(opened) then perform sluice.begin_probe(item, at); end if;
      insert into sluice.model_claims (key, bucket, lane, slice, amounts, accounts, cost_micro_usd, credential_version, claimed_at, lease_until)
        values (item.key, b.bucket, item.lane, b.slice, amounts, array(select value ->> 'account' from json_array_elements(item.accounts)),
          coalesce(item."costMicroUsd", 0), item."credentialVersion", at, at + sluice.milliseconds(item."leaseMs"));
    end loop;
    if b.bucket is not null then perform sluice.save_claimed(b, fresh); end if;
    if purse.accounts is not null then perform sluice.charge_accounts(purse.accounts, purse.charges, at); end if;
    return array_to_json(answers);
  end $$`,

  `create function claim_model_call(item json) returns json language sql volatile as $$
    select sluice.claim_model_calls(json_build_array(item)) -> 0
  $$`,
];
