import { type RawBuilder, sql } from "kysely";
import type { Json, SluiceError } from "../core/index.ts";
import type { Keyring } from "./content-keys.ts";
import { payloadPlace } from "./events.ts";
import type { RunKeys } from "./run-keys.ts";
import { type Database, query } from "./scope.ts";
import { contentErased, isContentLost, openContent } from "./sealed.ts";

/** An unfinished run that a process took on, with all that its execution needs. */
export interface ClaimedRun {
  readonly workspaceId: string;
  readonly id: string;
  readonly flow: string;
  /** Digest of the flow's code when the run was executed last; null for one that never was. */
  readonly flowVersion: string | null;
  /** Fencing token of this execution. */
  readonly epoch: number;
  /** Whether it was executed before, so that something may be recorded. */
  readonly begun: boolean;
  /** Deaths of its process in a row, without a step of it ending in between; and those in which it alone was under suspicion. */
  readonly suspicion: number;
  readonly blames: number;
  readonly resumes: number;
  /** Path of the step from which a resumed run goes on; null once that was done. */
  readonly failedStep: string | null;
  /** How many signals had come. */
  readonly signals: number;
  readonly cuts: readonly number[];
  readonly depth: number;
  readonly parentRunId: string | null;
  readonly payload: Json;
  /** The key that the run's content is sealed with, as its seed; null when the content is lost. */
  readonly contentKey: string | null;
  /** Why the content is lost: CONTENT_ERASED or CONTENT_UNREADABLE. The run can only fail with it. Null: it is there. */
  readonly lost: SluiceError | null;
}

/** How much a process may take of a flow. */
export interface FlowRoom {
  readonly flow: string;
  /** How many of its runs this process has under way; a flow with fewer goes first. */
  readonly inFlight: number;
}

/** What {@link createDispatchStore}'s `claim` takes. */
export interface Claim {
  readonly executor: string;
  /** Most runs to take. */
  readonly limit: number;
  readonly flows: readonly FlowRoom[];
  /** Digests of the flows' code by name. */
  readonly versions: { readonly [flow: string]: string };
  /** Takes only runs whose process died twice or more under them, instead of all others. */
  readonly suspects: boolean;
}

/** Limits of one flow over all processes; see `concurrency` and `rate` of a flow. */
export interface FlowLimits {
  readonly flow: string;
  /** Null: none. */
  readonly concurrency: number | null;
  readonly rate: { readonly limit: number; readonly perMs: number } | null;
}

/** Deaths in a row after which a run is under suspicion: it may be what kills its processes, and is tried apart from others. */
export const suspectAfter = 2;

/** Stands for the concurrency of a flow that has only a rate. */
const unlimited = 1_000_000;

/** How long a run may be claimed and unknown to its process before it is given back: longer than any statement may take. */
const lostAfter = sql`interval '6 seconds'`;

/** Marks the runs of a relation `chosen` as taken on, and gives them as {@link ClaimedRun}. */
const take = ({ executor, versions }: Pick<Claim, "executor" | "versions">) => sql`
  locked as materialized (
    select run.* from sluice.runs as run join chosen on run.workspace_id = chosen.workspace_id and run.id = chosen.id
    where run.status = 'queued' for update of run skip locked
  ), claimed as (
    update sluice.runs as run set status = 'running', executor = ${executor}, epoch = run.epoch + 1, claimed_at = now(),
      started_at = coalesce(run.started_at, now()), flow_version = coalesce(${JSON.stringify(versions)}::json ->> run.flow, run.flow_version)
    from locked where run.workspace_id = locked.workspace_id and run.id = locked.id
    returning run.*
  ), told as (
    insert into sluice.changes (workspace_id, topic, run_id, data)
    select workspace_id, 'run.running', id, json_build_object('flow', flow) from claimed
  )
  select claimed.workspace_id, claimed.id, claimed.flow, locked.flow_version, claimed.epoch,
    locked.started_at is not null as begun, claimed.suspicion, claimed.blames, claimed.resumes, claimed.failed_step, claimed.signals,
    claimed.cuts, claimed.depth, claimed.parent_run_id, event.payload, event.content_key,
    event.erased_at is not null as erased
  from claimed
  join locked on locked.workspace_id = claimed.workspace_id and locked.id = claimed.id
  join sluice.events as event on event.workspace_id = claimed.workspace_id and event.id = claimed.event_id`;

type Row = Omit<ClaimedRun, "lost"> & { readonly erased: boolean };

/** What reading the content of runs takes. */
interface Keys {
  readonly keyring: Keyring;
  readonly keys: RunKeys;
}

/** Opens a run's payload. One that is lost must not keep those from executing that were claimed with it. */
async function open({ erased, contentKey, payload, ...run }: Row, { keyring, keys }: Keys): Promise<ClaimedRun> {
  const name = { workspaceId: run.workspaceId, runId: run.id };
  try {
    if (erased) throw contentErased(run.id);
    const key = contentKey === null ? await keys.toWrite(name) : keyring.openKey(contentKey);
    if (key) keys.note(name, key);
    const opened = openContent(key, payload, payloadPlace(run.id));
    return { ...run, payload: opened, contentKey: key?.seed ?? null, lost: null };
  } catch (thrown) {
    if (!isContentLost(thrown)) throw thrown;
    return { ...run, payload: null, contentKey: null, lost: thrown };
  }
}

/** What the engine needs of the runs of all workspaces. Every process sees only runs of its kind, sandbox or real. */
export function createDispatchStore(db: Database, sandbox: boolean, keys: Keys) {
  return { ...createClaims(db, sandbox, keys), ...createReturns(db), ...createQueueWatch(db, sandbox) };
}

function createClaims(db: Database, sandbox: boolean, keys: Keys) {
  const openAll = (rows: readonly Row[]): Promise<ClaimedRun[]> => Promise.all(rows.map((row) => open(row, keys)));
  return {
    /**
     * Takes queued runs for a process: by priority, then in turn between flows, then the oldest. No two processes get the
     * same one.
     */
    claim: (claim: Claim): Promise<ClaimedRun[]> =>
      query(async () => {
        const { rows } = await sql<Row>`
          with chosen as materialized (
            select oldest.workspace_id, oldest.id
            from json_to_recordset(${JSON.stringify(claim.flows)}::json) as room (flow text, "inFlight" integer)
            cross join lateral (
              select workspace_id, id, priority, queued_at,
                room."inFlight" + row_number() over (order by priority, queued_at) as turn
              from sluice.runs where status = 'queued' and flow = room.flow and sandbox = ${sandbox}
                and (suspicion >= ${suspectAfter}) = ${claim.suspects}
              order by priority, queued_at limit ${claim.limit}
            ) as oldest
            order by oldest.priority, oldest.turn, oldest.queued_at limit ${claim.limit}
          ), ${take(claim)}`.execute(db);
        return openAll(rows);
      }),

    /** As `claim`, of one flow with limits, which hold over all processes: they take their turns. */
    claimLimited: (claim: Claim, limits: FlowLimits): Promise<ClaimedRun[]> =>
      query(async () => {
        const claimed = await db.transaction().execute(async (transaction) => {
          await sql`select pg_advisory_xact_lock(hashtextextended(${limits.flow}, 2))`.execute(transaction);
          const room = Math.min(claim.limit, await roomInRate(transaction, limits));
          if (room <= 0) return [];
          const { rows } = await sql<Row>`
            with recursive ${chooseByKey({ ...claim, limit: room }, limits, sandbox)}, ${take(claim)}`.execute(
            transaction,
          );
          const begun = rows.filter((run) => !run.begun).length;
          if (limits.rate && begun > 0) {
            await sql`insert into sluice.flow_starts (flow, started_at)
              select ${limits.flow}, now() from generate_series(1, ${begun})`.execute(transaction);
          }
          return rows;
        });
        return openAll(claimed);
      }),

    /** Queued runs of a flow that had no limit when they were accepted count under one key from now on. */
    adoptLimit: (flow: string): Promise<void> =>
      query(async () => {
        await db
          .updateTable("runs")
          .set({ concurrencyKey: "" })
          .where("flow", "=", flow)
          .where("status", "in", ["queued", "running", "waiting"])
          .where("concurrencyKey", "is", null)
          .execute();
      }),
  };
}

/** What processes have under way, and no longer have. */
function createReturns(db: Database) {
  return {
    /**
     * Queues what a dead process had under way, and counts the death: as the blame of a run that was the only one under
     * suspicion. What the process still writes changes nothing. Gives how many.
     */
    adopt: (dead: string): Promise<number> =>
      giveBack(
        db,
        sql`executor = ${dead}`,
        sql`, recoveries = recoveries + 1, suspicion = suspicion + 1, blames = blames + (suspicion >= ${suspectAfter} and (
          select count(*) = 1 from sluice.runs as other where other.executor = ${dead}
            and other.status in ('running', 'waiting') and other.suspicion >= ${suspectAfter}))::integer`,
      ),

    /** Frees a run of suspicion: a step of it has ended. */
    acquit: ({ workspaceId, id, epoch }: Pick<ClaimedRun, "workspaceId" | "id" | "epoch">): Promise<void> =>
      query(async () => {
        await db
          .updateTable("runs")
          .set({ suspicion: 0, blames: 0 })
          .where("workspaceId", "=", workspaceId)
          .where("id", "=", id)
          .where("epoch", "=", epoch)
          .execute();
      }),

    /** Queues what a process that ends in good order had under way. */
    release: (executor: string): Promise<number> => giveBack(db, sql`executor = ${executor}`),

    /**
     * Queues what a process took on and does not know of: the answer to its claim was lost with a connection. Gives how many.
     *
     * @param known ids of the runs that it has under way.
     */
    releaseLost: (executor: string, known: readonly string[]): Promise<number> =>
      giveBack(db, sql`executor = ${executor} and id <> all(${known}) and claimed_at < now() - ${lostAfter}`),

    /** Those of the given executions whose run was cancelled, or taken on by another execution. */
    notOwned: (
      executions: readonly { readonly id: string; readonly epoch: number }[],
    ): Promise<{ readonly id: string; readonly cancelled: boolean }[]> =>
      query(async () => {
        const { rows } = await sql<{ id: string; cancelled: boolean }>`
          select run.id, run.status = 'cancelled' and run.epoch = own.epoch as cancelled from json_to_recordset(${JSON.stringify(executions)}::json) as own (id text, epoch integer)
          join sluice.runs as run on run.id = own.id
          where run.status = 'cancelled' or run.epoch <> own.epoch`.execute(db);
        return rows;
      }),
  };
}

function createQueueWatch(db: Database, sandbox: boolean) {
  return {
    /** Queues the parked runs whose time has come. Gives how many. */
    wakeDue: (): Promise<number> =>
      query(async () => {
        const { numAffectedRows } = await sql`
          with woken as (
            update sluice.runs set status = 'queued', wake_at = null
            where status = 'waiting' and executor is null and wake_at <= now() and sandbox = ${sandbox}
            returning workspace_id, id, flow
          )
          insert into sluice.changes (workspace_id, topic, run_id, data)
          select workspace_id, 'run.queued', id, json_build_object('flow', flow) from woken`.execute(db);
        return Number(numAffectedRows ?? 0);
      }),

    /** How many runs are queued; counts no further than `limit`. */
    queued: (limit: number): Promise<number> =>
      query(async () => {
        const { rows } = await sql<{ count: number }>`
          select count(*) from (select 1 from sluice.runs where status = 'queued' limit ${limit}) as counted`.execute(
          db,
        );
        return rows[0]?.count ?? 0;
      }),

    /** Flows that have queued runs and that no living process knows. */
    orphans: (): Promise<string[]> =>
      query(async () => {
        const { rows } = await sql<{ flow: string }>`
          with recursive waiting as (
            (select min(flow) as flow from sluice.runs where status = 'queued')
            union all
            select (select min(flow) from sluice.runs where status = 'queued' and flow > waiting.flow)
            from waiting where waiting.flow is not null
          )
          select flow from waiting where flow is not null and not exists (
            select 1 from sluice.processes where ended_at is null and waiting.flow = any(flows))`.execute(db);
        return rows.map((row) => row.flow);
      }),
  };
}

/**
 * The oldest queued runs for which there is room under their key: as many of each key as its limit leaves. Goes from key
 * to key by the index, so that a key with a long queue does not stand before the others.
 */
const chooseByKey = ({ limit, suspects }: Claim, { flow, concurrency }: FlowLimits, sandbox: boolean) => sql`
  keys as (
    (select min(concurrency_key) as key from sluice.runs where status = 'queued' and flow = ${flow} and concurrency_key is not null)
    union all
    select (select min(concurrency_key) from sluice.runs where status = 'queued' and flow = ${flow} and concurrency_key > keys.key)
    from keys where keys.key is not null
  ), chosen as materialized (
    select oldest.workspace_id, oldest.id from keys
    cross join lateral (
      select workspace_id, id, priority, queued_at from sluice.runs
      where status = 'queued' and flow = ${flow} and concurrency_key = keys.key and sandbox = ${sandbox}
        and (suspicion >= ${suspectAfter}) = ${suspects}
      order by priority, queued_at
      limit greatest(0, least(${limit}, ${concurrency ?? unlimited} - (select count(*) from sluice.runs as run
        where run.status in ('running', 'waiting') and run.executor is not null and run.flow = ${flow} and run.concurrency_key = keys.key)))
    ) as oldest
    where keys.key is not null order by oldest.priority, oldest.queued_at limit ${limit}
  )`;

/** How many more runs may begin in the present window. */
async function roomInRate(db: Database, { flow, rate }: FlowLimits): Promise<number> {
  if (!rate) return Infinity;
  const window = sql`now() - ${rate.perMs} * interval '1 millisecond'`;
  await sql`delete from sluice.flow_starts where flow = ${flow} and started_at <= ${window}`.execute(db);
  const { rows } = await sql<{ count: number }>`
    select count(*) from sluice.flow_starts where flow = ${flow}`.execute(db);
  return rate.limit - (rows[0]?.count ?? 0);
}

function giveBack(db: Database, which: RawBuilder<unknown>, more: RawBuilder<unknown> = sql``): Promise<number> {
  return query(async () => {
    const { numAffectedRows } = await sql`
      with released as (
        update sluice.runs set status = 'queued', executor = null, epoch = epoch + 1${more}
        where status in ('running', 'waiting') and executor is not null and ${which}
        returning workspace_id, id, flow
      )
      insert into sluice.changes (workspace_id, topic, run_id, data)
      select workspace_id, 'run.queued', id, json_build_object('flow', flow) from released`.execute(db);
    return Number(numAffectedRows ?? 0);
  });
}
