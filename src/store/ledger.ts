import { ChainCheck, type ChainResult, type LedgerHead } from "./ledger-chain.ts";
import { type ContentResult, createContentCheck } from "./ledger-contents.ts";
import { type Erasure, eraseSubject } from "./ledger-erase.ts";
import {
  appendEntries,
  type LedgerEntry,
  type LedgerFilter,
  type NewLedgerEntry,
  readBetween,
  readChain,
  readHead,
  readPage,
} from "./ledger-rows.ts";
import { type Page, query, type Scope } from "./scope.ts";
import { readSubjectReport, type SubjectCall } from "./subject-reports.ts";

/** How much is checked. */
export interface VerifyOptions {
  /** Where ledgers ended at earlier times, kept elsewhere; those of other workspaces are left out. Default: none. */
  readonly heads?: readonly LedgerHead[];
  /** Whether stored requests and answers are compared with their digests as well. Default: false. */
  readonly content?: boolean;
}

/** What checking the ledger came to. */
export interface LedgerVerdict extends ChainResult {
  /** Where it ends by the database's own account; null when nothing was ever recorded. */
  readonly head: LedgerHead | null;
  /** Null when content was not looked at. */
  readonly content: ContentResult | null;
}

/** Which page of a list. */
export interface PageOptions {
  /** `next` of the page before. */
  readonly before?: string | undefined;
  /** Default: 50. */
  readonly limit?: number | undefined;
}

/** The ledger of one workspace: what was sent to models and what was decided about it, as a chain of hashes that only grows. */
export function createLedgerStore(scope: Scope) {
  const head = (): Promise<LedgerHead | null> => readHead(scope);
  return {
    /** Appends entries, all or none, and gives the number of the last one. Durable when it resolves. */
    append: (entries: readonly NewLedgerEntry[]): Promise<number> =>
      query(() => appendEntries(scope.db, scope.workspaceId, entries)),

    /** Entries, the newest first. */
    page: (filter: LedgerFilter = {}): Promise<Page<LedgerEntry>> => query(() => readPage(scope, filter)),

    /** Where the ledger ends; null when nothing was ever recorded. */
    head,

    /**
     * Reads the whole ledger and tells everything in it that does not hold: entries that were changed, removed, put in or
     * put in another order, also at its end. An end that was cut off or written anew by somebody who mended the database's
     * own note of it as well shows by `heads` only.
     */
    async verify({ heads = [], content = false }: VerifyOptions = {}): Promise<LedgerVerdict> {
      const atStart = await head();
      const known = heads.filter(({ workspace }) => workspace === scope.workspaceId);
      const chain = new ChainCheck(atStart ? [...known, atStart] : known);
      const contents = content ? createContentCheck(scope, chain) : null;
      for await (const entries of readChain(scope)) {
        for (const entry of entries) chain.take(entry);
        await contents?.take(entries);
      }
      const atEnd = await head();
      chain.end(atEnd?.seq ?? 0);
      return { ...chain.result, head: atEnd, content: contents?.result ?? null };
    },

    /** All entries, the oldest first, and at the end the head that they lead to. For a file that can be checked elsewhere. */
    async *exportEntries(): AsyncGenerator<LedgerEntry | { readonly head: LedgerHead }> {
      const last = await head();
      if (last === null) return;
      for (let after = 0; after < last.seq;) {
        const from = after;
        const entries = await query(() => readBetween(scope, from, last.seq));
        yield* entries;
        // One whose end was cut off has fewer than its head says.
        after = entries.at(-1)?.seq ?? last.seq;
      }
      yield { head: last };
    },

    /** What was ever sent to models in runs about a person, the latest first. `subject` as in {@link LedgerFilter}. */
    subjectReport: (subject: string, page: PageOptions = {}): Promise<Page<SubjectCall>> =>
      readSubjectReport(scope, subject, page),

    /**
     * Makes all content of the runs about a person unreadable, for ever, and says so in the ledger. `by` is who asked for it,
     * by an id. Done again after a failure in the middle it goes on; done twice it erases nothing more.
     *
     * @throws SUBJECT_BUSY when a run of theirs has not ended; then nothing was erased. Of more than 200 runs some are, when
     *   one was resumed meanwhile.
     */
    erase: (subject: string, by: string): Promise<Erasure> => eraseSubject(scope, subject, by),
  };
}
