import type { Json } from "../core/index.ts";
import { createIdentifier } from "../core/index.ts";
import { createBatch } from "./batch.ts";
import type { Keyring } from "./content-keys.ts";
import type { RunKeys } from "./run-keys.ts";
import { type Database, query, type Scope } from "./scope.ts";
import { openContent, sealContent } from "./sealed.ts";
import { sql } from "kysely";

/** An occurrence of a trigger that is to be accepted. */
export interface IncomingEvent {
  readonly flow: string;
  /** Where it came in, such as `webhook:leads`; the dedup key is unique within it. */
  readonly source: string;
  readonly dedupKey: string;
  readonly deliveryId: string | null;
  readonly bodyDigest: string;
  readonly payload: Json;
  /** Whether a person sent it to try the flow out. */
  readonly sample: boolean;
  /** Whether the run belongs to the sandbox; only processes of that kind execute it. Default: as the store was opened. */
  readonly sandbox?: boolean;
  /** 0 interactive, 1 standard, 2 batch. Default: 1. */
  readonly priority?: number;
  /** Under which key the run counts for its flow's limit. Default: none. */
  readonly concurrencyKey?: string | null;
  /** The step that starts it as a sub-flow. Default: none. */
  readonly parent?: { readonly runId: string; readonly path: string; readonly depth: number } | null;
  /** Begins the run in the same commit, as one of this process with epoch 1, instead of queueing it. Default: not. */
  readonly begin?: { readonly executor: string; readonly flowVersion: string } | null;
  readonly receivedAt: Date;
}

/** What became of an {@link IncomingEvent}. */
export interface Acceptance {
  readonly runId: string;
  /** True when the same delivery was accepted before; `runId` is then that of the first. */
  readonly duplicate: boolean;
  /** Only of a run that was begun: its content key's seed. */
  readonly contentKey?: string;
}

/** The accepted occurrence behind a run. */
export interface EventRecord {
  readonly id: string;
  readonly source: string;
  readonly deliveryId: string | null;
  /** Null when it was erased. */
  readonly payload: Json;
  readonly erased: boolean;
  readonly sample: boolean;
  /** Repeats of the delivery that started nothing. */
  readonly duplicates: number;
  readonly lastDuplicateAt: Date | null;
  readonly receivedAt: Date;
}

interface Row extends IncomingEvent {
  readonly workspaceId: string;
  readonly sandbox: boolean;
}

/** What accepting an event takes. */
interface Intake {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly keys: RunKeys;
}

/** Accepts events of all workspaces, sharing commits among those that arrive together. */
export function createEventIntake(intake: Intake): (event: Row) => Promise<Acceptance> {
  return createBatch<Row, Acceptance>({
    inFlight: 2,
    limit: 200,
    flush: (rows) => query(() => insertEvents(intake, rows)),
  });
}

const keyOf = (row: { workspaceId: string; source: string; dedupKey: string }): string =>
  `${row.workspaceId}\n${row.source}\n${row.dedupKey}`;

/** What an event's payload is bound to. */
export const payloadPlace = (runId: string): string => `${runId}/events.payload`;

/**
 * Writes events and their queued runs in one statement, hence one transaction. Rows go in sorted by key, because two
 * batches that share keys would otherwise lock them crosswise.
 */
async function insertEvents({ db, keyring, keys }: Intake, rows: readonly Row[]): Promise<Acceptance[]> {
  const copies = Map.groupBy(rows, keyOf);
  const distinct = [...copies.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const incoming = distinct.flatMap(([, group]) => {
    const row = group[0];
    if (!row) return [];
    const id = createIdentifier("evt", row.receivedAt);
    const runId = id.replace("evt", "run");
    const key = keyring.newKey();
    const { parent, begin, priority = 1, concurrencyKey = null, ...rest } = row;
    return [
      {
        ...rest,
        id,
        runId,
        copies: group.length,
        contentKey: key.seed,
        payload: sealContent(key, row.payload, payloadPlace(runId)),
        priority,
        // It may be a person's address. Only whether two are the same is ever asked.
        concurrencyKey: concurrencyKey && keyring.blindIndex("concurrency", `${row.flow}\0${concurrencyKey}`),
        parentRunId: parent?.runId ?? null,
        parentPath: parent?.path ?? null,
        depth: parent?.depth ?? 0,
        ...begin,
      },
    ];
  });
  const { rows: accepted } = await insertStatement(JSON.stringify(incoming)).execute(db);
  for (const { workspaceId, runId, fresh, contentKey } of accepted) {
    if (fresh && contentKey !== null) keys.note({ workspaceId, runId }, keyring.openKey(contentKey));
  }
  const byKey = new Map(accepted.map((row) => [keyOf(row), row]));
  const seen = new Set<string>();
  return rows.map((row) => {
    const key = keyOf(row);
    const stored = byKey.get(key);
    const duplicate = seen.has(key) || stored?.fresh === false;
    seen.add(key);
    const begun = row.begin && !duplicate && stored?.contentKey ? { contentKey: stored.contentKey } : null;
    return { runId: stored?.runId ?? "", duplicate, ...begun };
  });
}

interface AcceptedRow {
  readonly workspaceId: string;
  readonly source: string;
  readonly dedupKey: string;
  readonly runId: string;
  readonly fresh: boolean;
  readonly contentKey: string | null;
}

const insertStatement = (incoming: string) => sql<AcceptedRow>`
  with incoming as (
    select * from json_to_recordset(${incoming}::json) as row (
      "workspaceId" text, id text, flow text, source text, "dedupKey" text, "deliveryId" text, "bodyDigest" text,
      payload text, "contentKey" text, "runId" text, sample boolean, sandbox boolean, copies integer, "receivedAt" timestamptz,
      priority smallint, "concurrencyKey" text, "parentRunId" text, "parentPath" text, depth smallint,
      executor text, "flowVersion" text)
  ), accepted as (
    insert into sluice.events as event (workspace_id, id, flow, source, dedup_key, delivery_id, body_digest, payload,
      content_key, run_id, sample, duplicates, received_at)
    select "workspaceId", id, flow, source, "dedupKey", "deliveryId", "bodyDigest", payload::json, "contentKey", "runId",
      sample, copies - 1, "receivedAt" from incoming
    on conflict (workspace_id, source, dedup_key) do update
      set duplicates = event.duplicates + excluded.duplicates + 1, last_duplicate_at = excluded.received_at
    returning workspace_id, id, flow, source, dedup_key, run_id, received_at, content_key, (xmax = 0) as fresh
  ), stored as (
    insert into sluice.runs (workspace_id, id, flow, event_id, status, sandbox, queued_at, priority, concurrency_key,
      parent_run_id, parent_path, depth, executor, flow_version, epoch, started_at, claimed_at)
    select workspace_id, run_id, accepted.flow, accepted.id, case when executor is null then 'queued' else 'running' end,
      incoming.sandbox, received_at, priority, "concurrencyKey", "parentRunId", "parentPath", depth,
      executor, "flowVersion", (executor is not null)::integer, begun_at, begun_at
    from accepted join incoming on incoming.id = accepted.id
    cross join lateral (select case when executor is not null then now() end as begun_at) as moment where fresh
    returning workspace_id, id, flow, status
  ), told as (
    insert into sluice.changes (workspace_id, topic, run_id, data)
    select workspace_id, 'run.' || status, id, json_build_object('flow', flow) from stored
    union all
    select workspace_id, 'run.duplicate', run_id, json_build_object('flow', flow) from accepted where not fresh
  )
  select workspace_id, source, dedup_key, run_id, fresh, content_key from accepted`;

/** Events of one workspace. */
export function createEventStore(scope: Scope, accept: (row: Row) => Promise<Acceptance>, sandbox: boolean) {
  return {
    /**
     * Accepts an event: stores it together with its queued run. Resolves after the commit; the same dedup key gives the
     * first event's run.
     *
     * @throws DATABASE_UNAVAILABLE when it could not be committed.
     */
    accept: (event: IncomingEvent): Promise<Acceptance> =>
      accept({ sandbox, ...event, workspaceId: scope.workspaceId }),

    /** The event behind a run; null when there is none. */
    ofRun: (runId: string): Promise<EventRecord | null> =>
      query(async () => {
        const row = await scope.db
          .selectFrom("events")
          .innerJoin("runs", (join) =>
            join.onRef("runs.eventId", "=", "events.id").onRef("runs.workspaceId", "=", "events.workspaceId"),
          )
          .select([
            "events.id",
            "source",
            "deliveryId",
            "payload",
            "sample",
            "duplicates",
            "lastDuplicateAt",
            "receivedAt",
            "contentKey",
            "erasedAt",
          ])
          .where("runs.workspaceId", "=", scope.workspaceId)
          .where("runs.id", "=", runId)
          .executeTakeFirst();
        if (!row) return null;
        const { contentKey, erasedAt, payload, ...event } = row;
        const key = contentKey === null ? null : scope.keyring.openKey(contentKey);
        return { ...event, payload: openContent(key, payload, payloadPlace(runId)), erased: erasedAt !== null };
      }),
  };
}
