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
    batch_url text,
    state_since timestamptz not null default now(),
    created_at timestamptz not null default now(),
    primary key (workspace_id, ticket)
  )`,
  `create index batch_items_open on batch_items (state, provider, model) where state in ('waiting','submitting','submitted')`,

  /*
   * All that is to be known before a request leaves, and all that is known after it, in one statement: limits and budgets,
   * the record of the call, the placeholders, the ledger. Of a request that may not leave, nothing is written.
   *
   * One at a time over all processes: every call moves the ledger's head anyway, and so locks come in no order that could
   * stand against another one's. Callers put many items into one statement.
   */
  `create function pass_ai_calls(items json) returns json language plpgsql as $$
  declare
    item json;
    verdict json;
    verdicts json[] := '{}';
    chain record;
  begin
    perform pg_advisory_xact_lock(4600, 3);
    for item in select value from json_array_elements(items) loop
      if item ->> 'op' = 'admit' then
        verdict := sluice.admit_ai_call(item);
      else
        perform sluice.settle_ai_call(item);
        verdict := '{"ok":true}';
      end if;
      verdicts := verdicts || verdict;
    end loop;
    for chain in
      select value ->> 'workspaceId' as workspace, json_agg(value -> 'entry' order by place) as entries
      from json_array_elements(items) with ordinality as numbered (value, place)
      where json_typeof(value -> 'entry') = 'object' and verdicts[place] ->> 'ok' = 'true'
      group by 1
    loop
      perform sluice.append_ledger(chain.workspace, chain.entries);
    end loop;
    return array_to_json(verdicts);
  end $$`,

  `create function admit_ai_call(item json) returns json language plpgsql as $$
  declare
    call json := item -> 'call';
    verdict json := '{"ok":true}';
  begin
    perform 1 from sluice.runs as run
      where run.workspace_id = item ->> 'workspaceId' and run.id = item ->> 'runId' and run.epoch = (item ->> 'epoch')::integer;
    if not found then return '{"ok":false,"because":"taken_over"}'; end if;
    if json_typeof(item -> 'claim') = 'object' then
      verdict := sluice.claim_model_call(item -> 'claim');
      if verdict ->> 'ok' <> 'true' then return verdict; end if;
    end if;
    insert into sluice.ai_calls (workspace_id, id, run_id, step_path, attempt, model_name, provider, model, region, lane,
      simulated, sent_fields, available_fields, masked, request, request_digest, reserved_micro_usd, waited_ms,
      prompt_version, status, started_at)
    values (item ->> 'workspaceId', call ->> 'id', item ->> 'runId', call ->> 'stepPath', (call ->> 'attempt')::integer,
      call ->> 'modelName', call ->> 'provider', call ->> 'model', call ->> 'region', (call ->> 'lane')::smallint,
      (call ->> 'simulated')::boolean, call -> 'sentFields', (call ->> 'availableFields')::integer, call -> 'masked',
      (call ->> 'request')::json, call ->> 'requestDigest', (call ->> 'reservedMicroUsd')::bigint,
      (call ->> 'waitedMs')::integer, call ->> 'promptVersion', 'intent', (call ->> 'startedAt')::timestamptz);
    insert into sluice.subjects (workspace_id, subject, run_id)
      select item ->> 'workspaceId', subject, item ->> 'runId' from json_array_elements_text(item -> 'subjects') as subject
      on conflict do nothing;
    if json_typeof(item -> 'vault') = 'object' then
      insert into sluice.vaults (workspace_id, run_id, sealed, expires_at)
      values (item ->> 'workspaceId', item ->> 'runId', (item -> 'vault' ->> 'sealed')::json, (item -> 'vault' ->> 'expiresAt')::timestamptz)
      on conflict (workspace_id, run_id) do update set sealed = excluded.sealed, expires_at = excluded.expires_at;
    end if;
    return verdict;
  end $$`,

  `create function settle_ai_call(item json) returns void language plpgsql as $$
  begin
    if json_typeof(item -> 'settlement') = 'object' then
      perform sluice.settle_model_call(item -> 'settlement');
    end if;
    update sluice.ai_calls set response = (item ->> 'response')::json, status = item ->> 'status', rung = item ->> 'rung',
      input_tokens = (item ->> 'inputTokens')::integer, output_tokens = (item ->> 'outputTokens')::integer,
      cost_micro_usd = (item ->> 'costMicroUsd')::bigint, estimated = (item ->> 'estimated')::boolean,
      error = (item ->> 'error')::json, finished_at = (item ->> 'finishedAt')::timestamptz
    where workspace_id = item ->> 'workspaceId' and id = item ->> 'id';
  end $$`,
];
