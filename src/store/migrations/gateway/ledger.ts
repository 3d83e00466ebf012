/**
 * The ledger: what was sent to models and what was decided about it, as a chain of hashes that only grows.
 *
 * The triggers stop mistakes and whoever has the rights of the service. Whoever may remove triggers can still change rows;
 * that is what the hashes, and heads that were kept elsewhere, are for.
 */
export const statements: readonly string[] = [
  `create table ledger (
    workspace_id text not null,
    seq bigint not null,
    at timestamptz not null,
    kind text not null,
    run_id text,
    ref text,
    digest text,
    data json not null,
    previous text not null,
    hash text not null,
    primary key (workspace_id, seq)
  )`,
  `create index ledger_by_run on ledger (workspace_id, run_id, seq) where run_id is not null`,
  // What people decided is rare among the calls, and looked for by its kind.
  `create index ledger_of_people on ledger (workspace_id, kind, seq) where kind not in ('model.intended', 'model.called')`,
  `create table ledger_heads (
    workspace_id text primary key,
    seq bigint not null,
    hash text not null
  )`,
  // Whose values stood in the event of which run: a keyed digest of an identifier, never the identifier.
  `create table subjects (
    workspace_id text not null,
    subject text not null,
    run_id text not null,
    primary key (workspace_id, subject, run_id)
  )`,
  `create index subjects_by_run on subjects (workspace_id, run_id)`,

  `create function refuse_ledger_change() returns trigger language plpgsql as $$
  begin
    raise exception 'sluice.% only grows: % is refused', tg_table_name, lower(tg_op)
      using errcode = 'restrict_violation', hint = 'To erase what was sent about a person, use: sluice ledger erase';
  end $$`,
  `create trigger ledger_only_grows before update or delete or truncate on ledger
    for each statement execute function refuse_ledger_change()`,
  `create trigger ledger_heads_stay before delete or truncate on ledger_heads
    for each statement execute function refuse_ledger_change()`,
  `create trigger ledger_heads_grow before update on ledger_heads
    for each row when (new.seq <= old.seq or new.workspace_id <> old.workspace_id) execute function refuse_ledger_change()`,
  // The rights of the owner, who is the service.
  `revoke update, delete, truncate on ledger from public, current_user`,

  // What a hash covers, as a text without a second meaning; src/store/ledger-hash.ts writes the same. A json stands in it
  // as it was stored, to the letter.
  `create function ledger_text(workspace text, seq bigint, at timestamptz, kind text, run_id text, ref text, digest text,
    data json, previous text) returns text stable language sql as $$
    select json_build_array(workspace, seq, at at time zone 'UTC', kind, run_id, ref, digest, data, previous)::text
  $$`,

  // Appends entries in their order and gives the number of the last one. Whoever appends to the same workspace waits until
  // this transaction ends: so append at the end of it.
  `create function append_ledger(workspace text, entries json) returns bigint language plpgsql as $$
  declare
    head sluice.ledger_heads;
    entry record;
    previous text;
  begin
    select * into head from sluice.ledger_heads where workspace_id = workspace for update;
    if not found then
      insert into sluice.ledger_heads values (workspace, 0, repeat('0', 64)) on conflict do nothing;
      select * into head from sluice.ledger_heads where workspace_id = workspace for update;
    end if;
    for entry in
      select date_trunc('milliseconds', at) as at, kind, "runId" as run_id, ref, digest, coalesce(data, '{}') as data
      from json_to_recordset(entries) as row (at timestamptz, kind text, "runId" text, ref text, digest text, data json)
    loop
      previous := head.hash;
      head.seq := head.seq + 1;
      head.hash := encode(sha256(convert_to(sluice.ledger_text(workspace, head.seq, entry.at, entry.kind, entry.run_id,
        entry.ref, entry.digest, entry.data, previous), 'UTF8')), 'hex');
      insert into sluice.ledger (workspace_id, seq, at, kind, run_id, ref, digest, data, previous, hash)
      values (workspace, head.seq, entry.at, entry.kind, entry.run_id, entry.ref, entry.digest, entry.data, previous, head.hash);
    end loop;
    update sluice.ledger_heads set seq = head.seq, hash = head.hash where workspace_id = workspace and seq < head.seq;
    return head.seq;
  end $$`,
];
