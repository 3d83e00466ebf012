/** What is recorded of AI calls, and the two functions by which they are admitted and settled. */
export const statements: readonly string[] = [
  `alter table ai_calls
    add column region text,
    add column lane smallint not null default 1,
    add column masked json not null default '{}',
    add column estimated boolean not null default false,
    add column reserved_micro_usd bigint,
    add column waited_ms integer not null default 0,
    add column prompt_version text not null default '',
    drop constraint ai_calls_rung_check,
    add constraint ai_calls_rung_check check (rung in ('as_is','repaired','asked_again','fallback','review'))`,
  // Once only names were kept.
  `update ai_calls set sent_fields = coalesce((
    select json_agg(case when json_typeof(field) = 'string' then json_build_object('name', field #>> '{}', 'sources', '[]'::json, 'masked', '[]'::json) else field end)
    from json_array_elements(sent_fields) as field), '[]')`,
  // Totals of a day or month, and the calls of a period by flow.
  `create index ai_calls_by_time on ai_calls (workspace_id, started_at)`,
  `alter table steps add column wait_reason text check (wait_reason in ('limit','budget','batch','circuit','person'))`,
  // Questions to people: few among many waiting steps.
  `create index steps_asking on steps (workspace_id, run_id)
    where kind = 'signal' and status = 'waiting' and right(name, 8) in (': answer', ': budget')`,
  // The placeholders of a run and what they stand for, sealed with its key; gone when their time is over.
  `create table vaults (
    workspace_id text not null,
    run_id text not null,
    sealed json not null,
    expires_at timestamptz not null,
    primary key (workspace_id, run_id)
  )`,
  `create index vaults_by_expiry on vaults (expires_at)`,

  // Requests of the batch lane, from their intent until their run has taken the answer.
  `create table batch_items (
    workspace_id text not null,
    call_id text not null,
    run_id text not null,
    ticket text not null,
    provider text not null,
    model text not null,
    model_name text not null,
    sandbox boolean not null,
    state text not null check (state in ('waiting','submitting','submitted','done','failed')),
    body json,
    answer json,
    batch_id text,
    state_since timestamptz not null default now(),
    created_at timestamptz not null default now(),
    primary key (workspace_id, ticket)
  )`,
  `create index batch_items_open on batch_items (state, provider, model) where state in ('waiting','submitting','submitted')`,

  /*
   * All that is to be known before requests leave, and all that is known after them, in one statement: limits and budgets,
   * the records of the calls, the placeholders, the ledger. Of a request that may not leave, nothing is written.
   *
   * One at a time over all processes: every call moves the ledger's head anyway, and so locks come in no order that could
   * stand against another one's. Callers put many items into one statement.
   */
  `create function pass_ai_calls(items json) returns json language plpgsql
    set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off as $$
  declare
    part json;
    verdicts json[] := array_fill('{"ok":true}'::json, array[json_array_length(items)]);
    places integer[];
    chain record;
  begin
    perform pg_advisory_xact_lock(4600, 3);
    select json_agg(value order by place) into part from json_array_elements(items) with ordinality as one (value, place)
      where value ->> 'op' = 'settle';
    if part is not null then perform sluice.settle_ai_calls(part); end if;

    for chain in
      select place from json_array_elements(items) with ordinality as one (value, place)
      where value ->> 'op' = 'admit' and not exists (select from sluice.runs as run
        where run.workspace_id = value ->> 'workspaceId' and run.id = value ->> 'runId' and run.epoch = (value ->> 'epoch')::integer)
    loop
      verdicts[chain.place] := '{"ok":false,"because":"taken_over"}';
    end loop;
    select json_agg(value -> 'claim' order by place), array_agg(place order by place) into part, places
      from json_array_elements(items) with ordinality as one (value, place)
      where json_typeof(value -> 'claim') = 'object' and verdicts[place] ->> 'ok' = 'true';
    if part is not null then
      part := sluice.claim_model_calls(part);
      for place in 1 .. cardinality(places) loop verdicts[places[place]] := part -> (place - 1); end loop;
    end if;

    select json_agg(value order by place) into part from json_array_elements(items) with ordinality as one (value, place)
      where value ->> 'op' = 'admit' and verdicts[place] ->> 'ok' = 'true';
    if part is not null then perform sluice.record_ai_calls(part); end if;
    for chain in
      select value ->> 'workspaceId' as workspace, json_agg(value -> 'entry' order by place) as entries
      from json_array_elements(items) with ordinality as one (value, place)
      where verdicts[place] ->> 'ok' = 'true' and json_typeof(value -> 'entry') = 'object' group by 1
    loop
      perform sluice.append_ledger(chain.workspace, chain.entries);
    end loop;
    return array_to_json(verdicts);
  end $$`,

  `create function record_ai_calls(items json) returns void language plpgsql as $$
  begin
    insert into sluice.ai_calls (workspace_id, id, run_id, step_path, attempt, model_name, provider, model, region, lane,
      simulated, sent_fields, available_fields, masked, request, request_digest, reserved_micro_usd, waited_ms,
      prompt_version, status, started_at)
    select item."workspaceId", call.id, item."runId", "stepPath", attempt, "modelName", provider, model, region, lane, simulated,
      "sentFields", "availableFields", masked, request::json, "requestDigest", "reservedMicroUsd", "waitedMs", "promptVersion",
      'intent', "startedAt"
    from json_to_recordset(items) as item ("workspaceId" text, "runId" text, call json)
    cross join lateral json_to_record(item.call) as call (id text, "stepPath" text, attempt integer, "modelName" text,
      provider text, model text, region text, lane smallint, simulated boolean, "sentFields" json, "availableFields" integer,
      masked json, request text, "requestDigest" text, "reservedMicroUsd" bigint, "waitedMs" integer, "promptVersion" text,
      "startedAt" timestamptz);
    insert into sluice.subjects (workspace_id, subject, run_id)
      select "workspaceId", subject, "runId"
      from json_to_recordset(items) as item ("workspaceId" text, "runId" text, subjects json)
      cross join lateral json_array_elements_text(item.subjects) as subject
      on conflict do nothing;
    -- The last of a run in this statement has all that those before it have.
    insert into sluice.vaults (workspace_id, run_id, sealed, expires_at)
      select distinct on (value ->> 'workspaceId', value ->> 'runId') value ->> 'workspaceId', value ->> 'runId',
        (value -> 'vault' ->> 'sealed')::json, (value -> 'vault' ->> 'expiresAt')::timestamptz
      from json_array_elements(items) with ordinality as one (value, place) where json_typeof(value -> 'vault') = 'object'
      order by value ->> 'workspaceId', value ->> 'runId', place desc
      on conflict (workspace_id, run_id) do update set sealed = excluded.sealed, expires_at = excluded.expires_at;
  end $$`,

  `create function settle_ai_calls(items json) returns void language plpgsql as $$
  declare
    settlements json;
  begin
    select json_agg(value -> 'settlement' order by place) into settlements
      from json_array_elements(items) with ordinality as one (value, place) where json_typeof(value -> 'settlement') = 'object';
    if settlements is not null then perform sluice.settle_model_calls(settlements); end if;
    update sluice.ai_calls as call set response = item.response::json, status = item.status, rung = item.rung,
      input_tokens = item."inputTokens", output_tokens = item."outputTokens", cost_micro_usd = item."costMicroUsd",
      estimated = item.estimated, error = item.error::json, finished_at = item."finishedAt"
    from json_to_recordset(items) as item ("workspaceId" text, id text, response text, status text, rung text,
      "inputTokens" integer, "outputTokens" integer, "costMicroUsd" bigint, estimated boolean, error text, "finishedAt" timestamptz)
    where call.workspace_id = item."workspaceId" and call.id = item.id;
  end $$`,
];
