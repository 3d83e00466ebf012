/** How calls are recorded that begin, and that have ended. Rows are found one by one: see migration 0004. */
export const recordingFunctions: readonly string[] = [
  `create or replace function begin_ai_calls(workspace text, admissions json) returns void language plpgsql as $$
  declare
    begun bigint;
  begin
    with item as materialized (
      select row.* from json_to_recordset(admissions) as row (id text, "runId" text, epoch integer, "stepPath" text, attempt integer,
        "modelName" text, provider text, model text, region text, lane smallint, simulated boolean, "sentFields" json,
        "availableFields" integer, masked json, request text, "requestDigest" text, "reservedMicroUsd" bigint, "waitedMs" integer,
        "promptVersion" text, "startedAt" timestamptz, subjects json, vault text, "vaultUntil" timestamptz)
      -- Offset keeps the plan from looking at all runs.
      cross join lateral (select from sluice.runs as run
        where run.workspace_id = workspace and run.id = row."runId" and run.epoch = row.epoch offset 0) as own
    ), named as (
      insert into sluice.subjects (workspace_id, subject, run_id)
        select workspace, subject, "runId" from item cross join lateral json_array_elements_text(item.subjects) as subject
        on conflict do nothing
    ), kept as (
      -- The call of a run that knows most placeholders knows those of all others.
      insert into sluice.vaults (workspace_id, run_id, sealed, expires_at)
        select distinct on ("runId") workspace, "runId", vault::json, "vaultUntil" from item where vault is not null
        order by "runId", length(vault) desc
        on conflict (workspace_id, run_id) do update set sealed = excluded.sealed, expires_at = excluded.expires_at
    )
    insert into sluice.ai_calls (workspace_id, id, run_id, step_path, attempt, model_name, provider, model, region, lane,
      simulated, sent_fields, available_fields, masked, request, request_digest, reserved_micro_usd, waited_ms,
      prompt_version, status, started_at)
    select workspace, id, "runId", "stepPath", attempt, "modelName", provider, model, region, lane, simulated, "sentFields",
      "availableFields", masked, request::json, "requestDigest", "reservedMicroUsd", "waitedMs", "promptVersion", 'intent', "startedAt"
    from item;
    get diagnostics begun = row_count;
    if begun <> json_array_length(admissions) then
      raise exception 'a run is executed elsewhere by now' using errcode = 'SLT01';
    end if;
  end $$`,

  `create or replace function end_ai_calls(workspace text, ended json) returns void language plpgsql as $$
  declare
    item record;
  begin
    for item in
      select * from json_to_recordset(ended) as row (id text, response text, status text, rung text, "inputTokens" integer,
        "outputTokens" integer, "costMicroUsd" bigint, estimated boolean, error text, "finishedAt" timestamptz)
    loop
      update sluice.ai_calls set response = item.response::json, status = item.status, rung = item.rung,
        input_tokens = item."inputTokens", output_tokens = item."outputTokens", cost_micro_usd = item."costMicroUsd",
        estimated = item.estimated, error = item.error::json, finished_at = item."finishedAt"
        where workspace_id = workspace and id = item.id;
    end loop;
  end $$`,
];

/** What is recorded of AI calls, and the function by which they are admitted and settled. */
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
   * stand against another one's. Callers put many calls into one statement.
   *
   * Gives a verdict for each claim. Admissions with a claim come first, in the order of the claims; each has an entry for the
   * ledger at its place. Fails with SLT01 when a run has another execution by now: then nothing of all is written.
   */
  `create function pass_ai_calls(workspace text, settlements json, ended json, ended_entries json, claims json, admissions json,
    entries json) returns json language plpgsql
    set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off as $$
  declare
    verdicts json;
    refused bigint[];
  begin
    perform pg_advisory_xact_lock(4600, 3);
    if settlements is not null then perform sluice.settle_model_calls(settlements); end if;
    if ended is not null then
      perform sluice.end_ai_calls(workspace, ended);
      perform sluice.append_ledger(workspace, ended_entries);
    end if;
    if admissions is null then
      -- Not waited for by itself: it is on disk before the end of its run is, which is written after it.
      perform set_config('synchronous_commit', 'off', true);
      return null;
    end if;
    if claims is not null then
      verdicts := sluice.claim_model_calls(claims);
      select array_agg(place) into refused from json_array_elements(verdicts) with ordinality as one (verdict, place)
        where verdict ->> 'ok' <> 'true';
    end if;
    if refused is not null then
      select json_agg(value order by place) into admissions from json_array_elements(admissions) with ordinality as one (value, place)
        where place <> all(refused);
      select json_agg(value order by place) into entries from json_array_elements(entries) with ordinality as one (value, place)
        where place <> all(refused);
    end if;
    if admissions is not null then
      perform sluice.begin_ai_calls(workspace, admissions);
      perform sluice.append_ledger(workspace, entries);
    end if;
    return verdicts;
  end $$`,
  ...recordingFunctions,
];
