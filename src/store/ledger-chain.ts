import { hashBeforeFirst, type HashedParts, hashOf } from "./ledger-hash.ts";

/** Where a ledger ended at a time. Kept elsewhere, it shows an end that was cut off or written anew. */
export interface LedgerHead {
  readonly workspace: string;
  /** Number of the last entry. */
  readonly seq: number;
  readonly hash: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** Something that does not hold. */
export interface LedgerProblem {
  /** The entry that it is about. */
  readonly seq: number;
  /** A sentence; quotes no content. */
  readonly what: string;
}

/** An entry as it is checked. */
export interface ChainedEntry extends HashedParts {
  readonly hash: string;
}

/** One broken thing can break all that follows, and a list without an end helps nobody. */
const mostProblems = 1000;

/**
 * Checks the entries of a ledger one after another, in memory that does not grow with them. After something that does not
 * hold it goes on from what it found, so that one change shows as one problem, or two.
 */
export class ChainCheck {
  readonly #problems: LedgerProblem[] = [];
  #found = 0;
  #entries = 0;
  #first: number | null = null;
  #last = 0;
  #lastHash = hashBeforeFirst;
  /** Those that the chain has not come by yet. */
  readonly #heads: Map<number, LedgerHead[]>;

  /** @param heads what is known of where this ledger ended: the database's own note, and what was kept elsewhere. */
  constructor(heads: readonly LedgerHead[]) {
    this.#heads = Map.groupBy(heads, ({ seq }) => seq);
    this.#comeBy(0, hashBeforeFirst);
  }

  /** Takes the next entry, in the order of numbers. */
  take(entry: ChainedEntry): void {
    const seq = Number(entry.seq);
    this.#entries += 1;
    this.#first ??= seq;
    if (hashOf(entry) !== entry.hash) this.report(seq, "its hash does not fit what it holds");
    if (seq < 1) return this.report(seq, "it stands before the first entry");
    const next = this.#last + 1;
    if (seq > next) this.report(next, seq === next + 1 ? "it is missing" : `it and all up to ${seq - 1} are missing`);
    else if (entry.previous !== this.#lastHash)
      this.report(seq, "it names another hash before it than its predecessor has");
    this.#last = seq;
    this.#lastHash = entry.hash;
    this.#comeBy(seq, entry.hash);
  }

  /** Ends the check. @param lastSeq number of the last entry by the database's own note, read after the last one was taken. */
  end(lastSeq: number): void {
    if (this.#last > lastSeq)
      this.report(lastSeq + 1, `it stands behind the end of the ledger, which is entry ${lastSeq}`);
    for (const { seq, at } of [...this.#heads.values()].flat()) {
      this.report(seq, `it was the last entry at ${at}, and is missing`);
    }
  }

  /** Adds something that does not hold. */
  report(seq: number, what: string): void {
    this.#found += 1;
    if (this.#problems.length < mostProblems) this.#problems.push({ seq, what });
  }

  /** What was found so far. */
  get result(): ChainResult {
    return {
      ok: this.#found === 0,
      entries: this.#entries,
      from: this.#first,
      to: this.#first === null ? null : this.#last,
      problems: this.#problems,
      problemsFound: this.#found,
    };
  }

  #comeBy(seq: number, hash: string): void {
    for (const head of this.#heads.get(seq) ?? []) {
      if (head.hash !== hash) this.report(seq, `it had another hash when it was the last entry, at ${head.at}`);
    }
    this.#heads.delete(seq);
  }
}

/** What checking a ledger came to. */
export interface ChainResult {
  /** Whether nothing was found that does not hold. */
  readonly ok: boolean;
  /** How many entries were checked. */
  readonly entries: number;
  /** Numbers of the first and the last one; null when there is none. */
  readonly from: number | null;
  readonly to: number | null;
  /** In the order of entries; at most 1,000. */
  readonly problems: readonly LedgerProblem[];
  /** How many there are, also those left out of `problems`. */
  readonly problemsFound: number;
}
