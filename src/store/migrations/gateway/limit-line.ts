/** How calls stand in line for room under the limits of a bucket. See limits.ts for the idea. */
export const lineStatements: readonly string[] = [
  /*
   * Who waits at a bucket: of each lane, requests, input tokens, output tokens and tokens of all tickets (1 to 12), then of
   * those whose turn has come and who may be here any moment (13 to 24).
   */
  `create function line_at(b sluice.model_buckets, at timestamptz) returns bigint[] language plpgsql as $$
  declare
    line bigint[] := array_fill(0::bigint, array[24]);
    who record;
  begin
    if not exists (select from sluice.model_tickets as ticket where ticket.bucket = b.bucket) then return line; end if;
    for who in
      select ticket.lane * 4 + case when ticket.turn <= at and ticket.until >= at - sluice.ticket_hold(b.per_ms) then 12 else 0 end as place,
        sum(requests) as requests, sum(input_tokens) as input, sum(output_tokens) as output
      from sluice.model_tickets as ticket
      where ticket.bucket = b.bucket and ticket.until >= at - sluice.ticket_grace(b.per_ms) group by 1
    loop
      line[who.place + 1] := who.requests;
      line[who.place + 2] := who.input;
      line[who.place + 3] := who.output;
      line[who.place + 4] := who.input + who.output;
    end loop;
    -- All are those whose turn has come and those whose turn is to come.
    for place in 1..12 loop line[place] := line[place] + line[place + 12]; end loop;
    return line;
  end $$`,

  // A place in the line comes or goes.
  `create function change_line(line bigint[], ticket sluice.model_tickets, sign integer, per_ms integer, at timestamptz) returns bigint[] language plpgsql as $$
  declare
    place integer := ticket.lane * 4;
  begin
    loop
      line[place + 1] := line[place + 1] + sign * ticket.requests;
      line[place + 2] := line[place + 2] + sign * ticket.input_tokens;
      line[place + 3] := line[place + 3] + sign * ticket.output_tokens;
      line[place + 4] := line[place + 4] + sign * (ticket.input_tokens + ticket.output_tokens);
      exit when place >= 12 or ticket.turn > at or ticket.until < at - sluice.ticket_hold(per_ms);
      place := place + 12;
    end loop;
    return line;
  end $$`,

  // Who had a ticket needs it no more.
  `create function leave_line(b sluice.model_buckets, name text, line bigint[], at timestamptz) returns bigint[] language plpgsql as $$
  declare
    own sluice.model_tickets;
  begin
    delete from sluice.model_tickets as ticket where ticket.bucket = b.bucket and ticket.ticket = name returning * into own;
    if not found or own.until < at - sluice.ticket_grace(b.per_ms) then return line; end if;
    return sluice.change_line(line, own, -1, b.per_ms, at);
  end $$`,

  // All that wait (place 0) or whose turn has come (place 12) in lanes up to one: of all of these, and of standard and batch.
  `create function amounts_in_line(line bigint[], place integer, upto integer) returns bigint[] language plpgsql immutable as $$
  declare
    amounts bigint[] := '{0,0,0,0,0,0,0,0}';
  begin
    for lane in 0..upto loop
      for k in 1..4 loop
        amounts[k] := amounts[k] + line[place + lane * 4 + k];
        if lane > 0 then amounts[k + 4] := amounts[k + 4] + line[place + lane * 4 + k]; end if;
      end loop;
    end loop;
    return amounts;
  end $$`,

  // That of the configuration, or one that the provider told in the last hour, whichever is less; null: none.
  `create function limit_in_force(b sluice.model_buckets, k integer, at timestamptz) returns bigint language plpgsql as $$
  begin
    if b.learned_at[k] > at - interval '1 hour' then return least(b.configured[k], b.learned[k]); end if;
    return b.configured[k];
  end $$`,

  // The limits of a call in the order of amounts; null: none. The last four are those of the standard and batch lanes.
  `create function limits_of(b sluice.model_buckets, item sluice.model_claim_item, amounts bigint[], at timestamptz)
    returns bigint[] language plpgsql as $$
  declare
    limits bigint[] := array_fill(null::bigint, array[8]);
    most bigint;
    reserved bigint;
  begin
    for k in 1..4 loop
      most := sluice.limit_in_force(b, k, at);
      continue when most is null;
      -- A call that is larger than what the provider told may be tried alone: the provider is the judge.
      most := greatest(most, amounts[k], 1);
      limits[k] := most;
      continue when item.lane = 0;
      reserved := floor(most * item."interactiveShare");
      if k = 1 and most > 1 and item."interactiveShare" > 0 then reserved := greatest(1, reserved); end if;
      -- One that is larger than what its lane may take goes when the lane has nothing else in the window.
      limits[k + 4] := greatest(most - reserved, amounts[k], 1);
    end loop;
    return limits;
  end $$`,

  // When there will be room for what is needed, if all goes as of late.
  `create function next_turn(b sluice.model_buckets, limits bigint[], amounts bigint[], ahead bigint[], at timestamptz)
    returns timestamptz language plpgsql as $$
  declare
    need bigint;
    counts bigint[] := b.used;
    rounds bigint;
    fits bigint[] := array_fill(null::bigint, array[8]);
    later interval[] := array_fill(interval '0', array[8]);
    round_trip interval := sluice.milliseconds(b.per_ms * 62 / 60.0);
    turn timestamptz := at;
    old record;
    k integer;
  begin
    for i in 1..8 loop
      continue when limits[i] is null;
      k := (i - 1) % 4 + 1;
      -- Of what calls under way asked for, they will give back what they do not use.
      counts[i] := greatest(0, counts[i] - floor(b.unsettled[i] * (1 - b.used_share[k])));
      -- Each place comes back after a round: beyond the whole limit, the need is met in a later one.
      need := amounts[i] + ceil(ahead[i] * b.used_share[k]);
      rounds := greatest(0, (need - 1) / limits[i]);
      later[i] := rounds * round_trip;
      fits[i] := limits[i] - (need - rounds * limits[i]);
      if b.outside_until[k] > at and b.outside[k] > 0 then turn := greatest(turn, b.outside_until[k] + later[i]); end if;
      if counts[i] <= fits[i] then
        turn := greatest(turn, at + later[i]);
        fits[i] := null;
      end if;
    end loop;
    for old in
      select slice, used from sluice.model_slices as past where past.bucket = b.bucket and past.slice > b.slice - 62 order by slice
    loop
      exit when array_remove(fits, null) = '{}';
      for i in 1..8 loop
        continue when fits[i] is null;
        counts[i] := counts[i] - old.used[i];
        if counts[i] <= fits[i] then
          turn := greatest(turn, sluice.slice_begins(old.slice + 62, b.per_ms) + later[i]);
          fits[i] := null;
        end if;
      end loop;
    end loop;
    for i in 1..8 loop
      continue when fits[i] is null;
      turn := greatest(turn, sluice.slice_begins(b.slice + 62, b.per_ms) + later[i]);
    end loop;
    -- There would be room now, once calls under way have ended.
    if turn = at then turn := at + sluice.milliseconds(least(greatest(b.duration_ms, b.per_ms / 60.0), b.per_ms / 4.0)); end if;
    return turn;
  end $$`,

  /*
   * For whom room is left: those of the better lanes whose turn has come; of the own lane all whose turn has come, for one
   * whose own has not, else those that came before and found no room.
   */
  `create function room_before(b sluice.model_buckets, line bigint[], own sluice.model_tickets, lane integer, at timestamptz)
    returns bigint[] language plpgsql as $$
  declare
    earlier record;
  begin
    if own.turn is null or own.turn > at then return sluice.amounts_in_line(line, 12, lane); end if;
    select coalesce(sum(requests), 0)::bigint as requests, coalesce(sum(input_tokens), 0)::bigint as input,
        coalesce(sum(output_tokens), 0)::bigint as output into earlier
      from sluice.model_tickets as ticket
      where ticket.bucket = b.bucket and ticket.turn < own.turn and ticket.lane = own.lane and ticket.until > ticket.turn
        and ticket.until >= at - sluice.ticket_hold(b.per_ms);
    return sluice.plus_amounts(sluice.amounts_in_line(line, 12, lane - 1),
      sluice.to_amounts(earlier.requests, earlier.input, earlier.output, own.lane));
  end $$`,

  // The first limit that amounts do not fit under; null: they fit.
  `create function limit_without_room(b sluice.model_buckets, limits bigint[], amounts bigint[], at timestamptz)
    returns text language plpgsql as $$
  declare
    k integer;
    counts bigint;
  begin
    for i in 1..8 loop
      k := (i - 1) % 4 + 1;
      counts := b.used[i] + amounts[i];
      if b.outside_until[k] > at then counts := counts + b.outside[k]; end if;
      if counts > limits[i] then
        return (array['requests', 'input_tokens', 'output_tokens', 'tokens'])[k];
      end if;
    end loop;
    return null;
  end $$`,

  // The requests that a lane may have under way; null: any number.
  `create function places_of(b sluice.model_buckets, item sluice.model_claim_item) returns integer language plpgsql as $$
  begin
    if b.concurrency is null then return item.concurrency; end if;
    return least(item.concurrency, greatest(1, floor(b.concurrency)));
  end $$`,

  // Whether none of the places for requests under way is free.
  `create function is_crowded(b sluice.model_buckets, item sluice.model_claim_item, before bigint[]) returns boolean language plpgsql as $$
  declare
    places integer := sluice.places_of(b, item);
  begin
    if places is null then return false; end if;
    if b.in_flight + before[1] >= places then return true; end if;
    return item.lane > 0 and b.in_flight_others + before[5] >= greatest(1, places - floor(places * item."interactiveShare"));
  end $$`,

  /*
   * When one with a turn is told to come back: in about ten minutes at the latest, for much may have changed by then. In whole
   * milliseconds and a little late, so that nobody comes before the time.
   */
  `create function within_horizon(turn timestamptz, at timestamptz) returns timestamptz language plpgsql as $$
  declare
    until timestamptz := least(turn, at + interval '10 minutes' * (0.9 + 0.2 * random()));
  begin
    return to_timestamp((floor(extract(epoch from until) * 1000) + 1) / 1000);
  end $$`,

  // Whether a call finds room. If not, gives the refusal, and a place in the line. Of a bucket nothing is changed.
  `create function stand_in_line(b sluice.model_buckets, item sluice.model_claim_item, amounts bigint[],
    inout line bigint[], at timestamptz, out refusal json) language plpgsql as $$
  declare
    limits bigint[] := sluice.limits_of(b, item, amounts, at);
    lane integer := item.lane;
    own sluice.model_tickets;
    before bigint[] := '{0,0,0,0,0,0,0,0}';
    ahead bigint[] := '{0,0,0,0,0,0,0,0}';
    kind text;
    is_crowded boolean;
    next timestamptz := at;
  begin
    if line[1] + line[5] + line[9] > 0 then
      select * into own from sluice.model_tickets as ticket where ticket.bucket = b.bucket and ticket.ticket = item.ticket
        and ticket.until >= at - sluice.ticket_grace(b.per_ms);
      -- Batch goes after standard, but not for ever.
      if own.booked_at < at - sluice.milliseconds(b.per_ms * 10) then lane := least(lane, 1); end if;
      before := sluice.room_before(b, line, own, lane, at);
      ahead := case when own.ticket is null then sluice.amounts_in_line(line, 0, lane) else before end;
    end if;
    kind := sluice.limit_without_room(b, limits, sluice.plus_amounts(amounts, before), at);
    is_crowded := sluice.is_crowded(b, item, before);

    if kind is null and not is_crowded then
      if own.ticket is not null then line := sluice.leave_line(b, own.ticket, line, at); end if;
      return;
    end if;

    if own.ticket is null or own.turn <= at then
      if kind is not null then next := sluice.next_turn(b, limits, amounts, ahead, at); end if;
      if is_crowded then
        -- Soon, because how many may be under way changes with each answer, and nobody calls those who wait.
        next := greatest(next, at + sluice.milliseconds(greatest(20,
          least(b.duration_ms * (1 + ahead[1]) / sluice.places_of(b, item), 5000 * (0.8 + 0.4 * random())))));
      end if;
    end if;
    if own.ticket is null then
      insert into sluice.model_tickets (bucket, ticket, lane, requests, input_tokens, output_tokens, booked_at, turn, until)
        values (b.bucket, item.ticket, item.lane, amounts[1], amounts[2], amounts[3], at, next, sluice.within_horizon(next, at))
        on conflict (bucket, ticket) do update set lane = excluded.lane, requests = excluded.requests, input_tokens = excluded.input_tokens,
          output_tokens = excluded.output_tokens, booked_at = excluded.booked_at, turn = excluded.turn, until = excluded.until
        returning * into own;
      line := sluice.change_line(line, own, 1, b.per_ms, at);
    elsif own.until <= at then
      update sluice.model_tickets as ticket set until = sluice.within_horizon(greatest(next, own.turn), at)
        where ticket.bucket = own.bucket and ticket.ticket = own.ticket returning * into own;
    end if;
    refusal := json_build_object('ok', false, 'because', 'limit', 'kind', coalesce(kind, 'concurrency'), 'until', own.until);
  end $$`,
];
