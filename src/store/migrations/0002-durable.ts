import { type Kysely, sql } from "kysely";

/**
 * Fencing, parking, priorities and limits, fan-out, dead letters.
 *
 * A run is *parked* when it is `waiting` and has no executor: it costs this row and nothing else. Indexes are partial,
 * so that the many rows of ended runs cost nothing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw("set local search_path to sluice").execute(db);
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table runs
    add column priority smallint not null default 1,
    add column concurrency_key text,
    add column epoch integer not null default 0,
    add column signals integer not null default 0,
    add column wake_at timestamptz,
    add column claimed_at timestamptz,
    add column parent_run_id text,
    add column parent_path text,
    add column depth smallint not null default 0,
    add column cuts integer[] not null default '{}',
    add column suspicion smallint not null default 0,
    add column blames smallint not null default 0,
    add column fingerprint text,
    alter column failed_step type text using failed_step::text`,
  `drop index runs_unfinished`,
  // Claims go through the queue flow by flow, in the order of priority and age.
  `create index runs_queued on runs (flow, priority, queued_at) where status = 'queued'`,
  `create index runs_queued_by_key on runs (flow, concurrency_key, priority, queued_at)
    where status = 'queued' and concurrency_key is not null`,
  // Small: what processes have under way. For adoption, for limits, for what a process lost sight of.
  `create index runs_under_way on runs (executor, flow, concurrency_key)
    where status in ('running','waiting') and executor is not null`,
  `create index runs_to_wake on runs (wake_at) where status = 'waiting' and executor is null and wake_at is not null`,
  `create index runs_by_parent on runs (workspace_id, parent_run_id) where parent_run_id is not null`,
  `create index runs_by_fingerprint on runs (workspace_id, fingerprint, id desc)
    where fingerprint is not null and status in ('failed','in_doubt')`,

  // When runs of flows with a rate began; kept for the rate's window. The engine's own, over all workspaces, as `processes`.
  `create table flow_starts (
    flow text not null,
    started_at timestamptz not null
  )`,
  `create index flow_starts_by_time on flow_starts (flow, started_at)`,

  `alter table steps rename column sequence to path`,
  `alter table steps alter column path type text using path::text,
    drop constraint steps_kind_check, drop constraint steps_status_check,
    add constraint steps_kind_check check (kind in ('code','ai','effect','sleep','signal','map','item','run')),
    add constraint steps_status_check check (status in ('running','waiting','succeeded','failed','reopened'))`,

  `alter table ai_calls rename column step_sequence to step_path`,
  `alter table ai_calls alter column step_path type text using step_path::text`,
  `alter table effects rename column step_sequence to step_path`,
  `alter table effects alter column step_path type text using step_path::text, add column ruling json`,
  `create index effects_in_doubt on effects (workspace_id, run_id) where state in ('intent','unknown')`,

  `alter table processes
    add column beat bigint not null default 0,
    add column role text not null default 'all' check (role in ('all','web','worker')),
    add column flows text[] not null default '{}'`,
];
