import { sql } from "kysely";
import type { LimitKind } from "./ai-calls.ts";
import { type Database, query, survey } from "./scope.ts";
import { wakeWaitingFor } from "./wake-waiting.ts";

/** What is used of one limit of a bucket, over the window that ends now. */
export interface LimitGauge {
  readonly kind: LimitKind;
  readonly limit: number;
  /** By our own calls, and by others as far as the provider tells. */
  readonly used: number;
  readonly perMs: number;
  /** Whether the provider told the limit, rather than the configuration. */
  readonly learned: boolean;
}

/** Whether calls go out. `probing`: one call tries whether the provider answers again. */
export interface Circuit {
  readonly state: "closed" | "open" | "probing";
  readonly reason: "unavailable" | "quota" | "auth" | null;
  /** When the next call may try. */
  readonly until: Date | null;
}

/** The state of a bucket, a key and a model, as all processes share it. */
export interface ModelGauge {
  readonly credential: string;
  readonly bucket: string;
  readonly gauges: readonly LimitGauge[];
  readonly inFlight: number;
  /** Requests that may be under way at once; null: any number. */
  readonly concurrency: number | null;
  /** Calls that wait for room. */
  readonly waiting: number;
  /** Until when the provider said to wait; null when it does not. */
  readonly pausedUntil: Date | null;
  readonly circuit: Circuit;
  /** The last ten refusals for a limit, the newest first. */
  readonly recentRateLimits: readonly {
    readonly at: Date;
    readonly reason: string;
    /** Null when the provider did not say. */
    readonly retryAfterMs: number | null;
  }[];
  /** The limit that is used up first at the rate of the last ten windows, and when; null: none. */
  readonly forecast: { readonly kind: LimitKind; readonly endsAt: Date } | null;
}

/** How long a call that was never settled is remembered after its lease: a batch may take a day. */
const claimsKept = sql`interval '2 days'`;
const bucketsKept = sql`interval '30 days'`;
const runAccountsKept = sql`interval '7 days'`;
const accountsKept = sql`interval '13 months'`;

/** Limits of models over all workspaces and processes; calls take them by `claim_model_calls` of migration 0003. */
export function createLimitStore(db: Database) {
  return {
    /** The state of all buckets that were ever used, by name. */
    gauges: (): Promise<ModelGauge[]> =>
      survey(db, async (db) => {
        const { rows } = await sql<GaugeRow>`
          select b.bucket, b.credential, b.per_ms, present.at, b.configured, b.configured_concurrency, floor(b.concurrency) as concurrency,
            b.recent, array(select sluice.limit_in_force(b, k, present.at) from generate_series(1, 4) as k order by k) as limits,
            array(select case when b.outside_until[k] > present.at then b.outside[k] else 0 end from generate_series(1, 4) as k order by k) as outside,
            used.window as used, used.ten_windows, sluice.slice_begins(used.first, b.per_ms) as since,
            (select count(*) from sluice.model_claims as claim where claim.bucket = b.bucket and not claim.is_freed
              and claim.lease_until > present.at) as in_flight,
            (select count(*) from sluice.model_tickets as ticket where ticket.bucket = b.bucket
              and ticket.until >= present.at - sluice.ticket_grace(b.per_ms)) as waiting,
            case when b.paused_until > present.at then b.paused_until end as paused_until, b.open_until, known.circuit, known.probe_at
          from sluice.model_buckets as b
          cross join (select sluice.gateway_now() as at) as present
          left join sluice.model_credentials as known on known.credential = b.credential and known.circuit <> 'closed'
          cross join lateral (
            select sluice.sum_amounts(past.used) filter (where past.slice > sluice.slice_at(present.at, b.per_ms) - 62) as window,
              sluice.sum_amounts(past.used) as ten_windows, min(past.slice) as first
            from sluice.model_slices as past
            where past.bucket = b.bucket and past.slice > sluice.slice_at(present.at, b.per_ms) - 600) as used
          order by b.bucket`.execute(db);
        return rows.map(toGauge);
      }),

    /**
     * Closes the circuit of a credential and of all its buckets, or of one bucket, and lets the runs go on that wait for a
     * circuit. What the provider said of when to come back stays. False when none was open.
     */
    resume: (bucketOrCredential: string): Promise<boolean> =>
      query(async () => {
        const { rows } = await sql<{ resumed: boolean }>`
          select sluice.resume_models(${bucketOrCredential}) as resumed`.execute(db);
        const resumed = rows[0]?.resumed ?? false;
        if (resumed) await wakeWaitingFor(db, "circuit");
        return resumed;
      }),

    /** Removes what no longer counts: calls that were never settled, buckets and budgets that nobody uses. Harmless at any time. */
    sweep: (): Promise<void> =>
      query(async () => {
        const now = sql`sluice.gateway_now()`;
        await sql`delete from sluice.model_claims where lease_until < ${now} - ${claimsKept}`.execute(db);
        await sql`
          with old as (delete from sluice.model_buckets where seen_at < ${now} - ${bucketsKept} returning bucket),
            slices as (delete from sluice.model_slices where bucket in (select bucket from old))
          delete from sluice.model_tickets where bucket in (select bucket from old)`.execute(db);
        await sql`
          with old as (
            delete from sluice.budget_accounts where updated_at < ${now} - ${accountsKept}
              or (account like 'run/%' and updated_at < ${now} - ${runAccountsKept}) returning account)
          delete from sluice.budget_allowances where account in (select account from old)`.execute(db);
      }),
  };
}

interface GaugeRow {
  readonly bucket: string;
  readonly credential: string;
  readonly perMs: number;
  readonly at: Date;
  readonly configured: readonly (string | null)[];
  readonly configuredConcurrency: number | null;
  readonly concurrency: number | null;
  readonly recent: readonly { readonly at: string; readonly reason: string; readonly retryAfterMs: number | null }[];
  /** In the order of amounts: see migration 0003. Arrays of `bigint` come as text. */
  readonly limits: readonly (string | null)[];
  readonly outside: readonly string[];
  readonly used: readonly string[];
  readonly tenWindows: readonly string[];
  /** The beginning of the first slice of the last ten windows; null when nothing was used. */
  readonly since: Date | null;
  readonly inFlight: number;
  readonly waiting: number;
  readonly pausedUntil: Date | null;
  readonly openUntil: Date | null;
  readonly circuit: "quota" | "auth" | null;
  readonly probeAt: Date | null;
}

/** In the order of amounts. */
const kinds: readonly LimitKind[] = ["requests", "input_tokens", "output_tokens", "tokens"];

function toGauge(row: GaugeRow): ModelGauge {
  const gauges = kinds.flatMap((kind, k): LimitGauge[] => {
    const limit = row.limits[k] ?? null;
    if (limit === null) return [];
    const used = Number(row.used[k]) + Number(row.outside[k]);
    return [{ kind, limit: Number(limit), used, perMs: row.perMs, learned: limit !== row.configured[k] }];
  });
  const places = [row.configuredConcurrency, row.concurrency].filter((count) => count !== null);
  return {
    credential: row.credential,
    bucket: row.bucket,
    gauges,
    inFlight: row.inFlight,
    concurrency: places.length === 0 ? null : Math.max(1, Math.min(...places)),
    waiting: row.waiting,
    pausedUntil: row.pausedUntil,
    circuit: toCircuit(row),
    recentRateLimits: row.recent.map((refusal) => ({ ...refusal, at: new Date(refusal.at) })),
    forecast: toForecast(row, gauges),
  };
}

function toCircuit({ circuit, probeAt, openUntil, at }: GaugeRow): Circuit {
  if (circuit !== null) return { state: "open", reason: circuit, until: probeAt };
  if (openUntil === null) return { state: "closed", reason: null, until: null };
  return { state: openUntil > at ? "open" : "probing", reason: "unavailable", until: openUntil };
}

/** A limit whose windows take less than it allows, as those of late, is never used up. */
function toForecast(row: GaugeRow, gauges: readonly LimitGauge[]): ModelGauge["forecast"] {
  const { since, at, perMs } = row;
  if (since === null) return null;
  const windows = Math.max(1, (at.getTime() - since.getTime()) / perMs);
  const ends = gauges.flatMap(({ kind, limit, used }) => {
    const perWindow = Number(row.tenWindows[kinds.indexOf(kind)]) / windows;
    if (perWindow < limit) return [];
    return [{ kind, endsAt: new Date(at.getTime() + (Math.max(0, limit - used) / perWindow) * perMs) }];
  });
  return ends.toSorted((a, b) => a.endsAt.getTime() - b.endsAt.getTime())[0] ?? null;
}
