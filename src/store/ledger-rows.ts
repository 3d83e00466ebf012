import { type RawBuilder, sql } from "kysely";
import type { Json } from "../core/index.ts";
import type { ChainedEntry, LedgerHead } from "./ledger-chain.ts";
import { candidateIndexes, erasureDigest } from "./ledger-subjects.ts";
import { type Database, type Page, query, type Scope, toPage } from "./scope.ts";

/** What an entry is about. */
export type LedgerKind = "model.intended" | "model.called" | "subject.erased" | "budget.allowed" | "circuit.resumed";

/** An entry to be appended. */
export interface NewLedgerEntry {
  /** Kept to the millisecond. */
  readonly at: Date;
  readonly kind: LedgerKind;
  readonly runId: string | null;
  /** Id of the AI call that it is about. */
  readonly ref: string | null;
  /** Digest of content that is stored elsewhere. */
  readonly digest: string | null;
  /** Small facts, without NUL. Nothing personal: no entry is ever changed or removed. */
  readonly data: Json;
}

/** An entry of the ledger. */
export interface LedgerEntry extends Omit<NewLedgerEntry, "kind"> {
  /** From 1, without gaps. */
  readonly seq: number;
  /** A {@link LedgerKind}, or one of a later version. */
  readonly kind: string;
  /** Hash of the entry before; 64 zeros for the first one. */
  readonly previous: string;
  /** SHA-256 over everything else of the entry, as 64 hexadecimal digits. See docs/ledger.md. */
  readonly hash: string;
}

/** Which entries to list. */
export interface LedgerFilter {
  /**
   * A person, by e-mail address, phone number, name or id, as somebody typed it: the entries of runs whose event held this
   * value, and those of its erasure.
   */
  readonly subject?: string | undefined;
  readonly runId?: string | undefined;
  readonly kind?: string | undefined;
  /** Only entries before this number; `next` of the page before. Digits. */
  readonly before?: string | undefined;
  /** Default: 50. */
  readonly limit?: number | undefined;
}

/** Appends entries and gives the number of the last one. In a transaction: as its last statement, for all others wait for it. */
export async function appendEntries(
  db: Database,
  workspaceId: string,
  entries: readonly NewLedgerEntry[],
): Promise<number> {
  const { rows } = await sql<{ seq: number }>`
    select sluice.append_ledger(${workspaceId}, ${JSON.stringify(entries)}::json) as seq`.execute(db);
  return rows[0]?.seq ?? 0;
}

/** Where the ledger of a workspace ends; null when nothing was ever recorded. */
export async function readHead({ db, workspaceId }: Scope): Promise<LedgerHead | null> {
  const heads = await readHeads(db, sql`where workspace_id = ${workspaceId}`);
  return heads[0] ?? null;
}

/** Where the ledgers of all workspaces end. */
export function readHeads(db: Database, where: RawBuilder<unknown> = sql``): Promise<LedgerHead[]> {
  return query(async () => {
    const { rows } = await sql<Omit<LedgerHead, "at"> & { at: Date }>`
      select workspace_id as workspace, seq, hash, now() as at from sluice.ledger_heads ${where}
      order by workspace_id`.execute(db);
    return rows.map(({ at, ...head }) => ({ ...head, at: at.toISOString() }));
  });
}

const columns = sql`seq, at, kind, run_id, ref, digest, data, previous, hash`;

/** Entries, the newest first. */
export async function readPage({ db, workspaceId, keyring }: Scope, filter: LedgerFilter): Promise<Page<LedgerEntry>> {
  const { subject, runId, kind, before, limit = 50 } = filter;
  const conditions = [sql`workspace_id = ${workspaceId}`];
  if (subject !== undefined) conditions.push(isAbout(workspaceId, candidateIndexes(keyring, subject)));
  if (runId !== undefined) conditions.push(sql`run_id = ${runId}`);
  if (kind !== undefined) conditions.push(isOfKind(kind));
  if (before !== undefined) conditions.push(sql`seq < ${before}::bigint`);
  const { rows } = await sql<LedgerEntry>`
    select ${columns} from sluice.ledger where ${sql.join(conditions, sql` and `)}
    order by seq desc limit ${limit + 1}`.execute(db);
  const page = toPage(
    rows.map((entry) => ({ ...entry, id: String(entry.seq) })),
    limit,
  );
  return { next: page.next, items: page.items.map(({ id: _id, ...entry }) => entry) };
}

/** Numbers are collected first, so that Postgres looks them up instead of reading the ledger. */
function isAbout(workspaceId: string, indexes: readonly string[]): RawBuilder<unknown> {
  return sql`seq in (
    select entry.seq from sluice.subjects as subject
    join sluice.ledger as entry on entry.workspace_id = subject.workspace_id and entry.run_id = subject.run_id
    where subject.workspace_id = ${workspaceId} and subject.subject = any(${indexes})
    union
    select seq from sluice.ledger
    where workspace_id = ${workspaceId} and kind = 'subject.erased' and digest = ${erasureDigest(indexes)})`;
}

/** Says for what people decided, which is rare, that the small index of such entries will do. */
function isOfKind(kind: string): RawBuilder<unknown> {
  const isOfCall = kind === "model.intended" || kind === "model.called";
  return sql`kind = ${kind} ${isOfCall ? sql`` : sql`and kind not in ('model.intended', 'model.called')`}`;
}

/** Entries in the order of numbers, from after one number up to another. */
export async function readBetween({ db, workspaceId }: Scope, after: number, last: number): Promise<LedgerEntry[]> {
  const { rows } = await sql<LedgerEntry>`
    select ${columns} from sluice.ledger where workspace_id = ${workspaceId} and seq > ${after} and seq <= ${last}
    order by seq limit ${batchSize}`.execute(db);
  return rows;
}

/** Entries of one page when the whole ledger is read: some hundred kilobytes. */
const batchSize = 1000;

/** The whole ledger in the order of numbers, each part as Postgres holds it. */
export async function* readChain({ db, workspaceId }: Scope): AsyncGenerator<readonly ChainedEntry[]> {
  // Below any number, also of entries that were put in before the first one. As text: numbers beyond 2^53 must not repeat.
  let after = "-9223372036854775808";
  for (;;) {
    const { rows } = await query(() =>
      sql<ChainedEntry>`
        select workspace_id, seq::text as seq, to_json(at at time zone 'UTC') #>> '{}' as at, kind, run_id, ref, digest,
          data::text as data, previous, hash
        from sluice.ledger where workspace_id = ${workspaceId} and sluice.ledger.seq > ${after}::bigint
        order by sluice.ledger.seq limit ${batchSize}`.execute(db),
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.seq;
  }
}
