import { describe, expect, it } from "vitest";
import { ChainCheck, type ChainedEntry, type LedgerHead } from "./ledger-chain.ts";
import { hashBeforeFirst, hashOf } from "./ledger-hash.ts";

/** A chain of entries as they should be. */
function chainOf(length: number): ChainedEntry[] {
  const entries: ChainedEntry[] = [];
  for (let seq = 1; seq <= length; seq += 1) entries.push(entryAfter(entries.at(-1)?.hash ?? hashBeforeFirst, seq));
  return entries;
}

function entryAfter(previous: string, seq: number, ref = `call_${seq}`): ChainedEntry {
  const parts = {
    workspaceId: "default", seq: String(seq), at: "2026-11-24T09:12:00", kind: "model.called", runId: "run_1", ref,
    digest: null, data: "{}", previous,
  }; // oxfmt-ignore
  return { ...parts, hash: hashOf(parts) };
}

const headAt = (entry: ChainedEntry): LedgerHead => ({
  workspace: "default",
  seq: Number(entry.seq),
  hash: entry.hash,
  at: "2026-11-24T10:00:00.000Z",
});

function check(entries: readonly ChainedEntry[], lastSeq = entries.length, heads: readonly LedgerHead[] = []) {
  const chain = new ChainCheck(heads);
  for (const entry of entries) chain.take(entry);
  chain.end(lastSeq);
  return chain.result;
}

const numbersOf = (entries: readonly ChainedEntry[], lastSeq?: number, heads?: readonly LedgerHead[]) =>
  check(entries, lastSeq, heads).problems.map(({ seq }) => seq);

describe("the check of a chain", () => {
  it("holds for a chain as it should be, and for an empty one", () => {
    const chain = chainOf(5);
    expect(check(chain, 5, [headAt(chain[2]!), headAt(chain[4]!)])).toEqual({
      ok: true, entries: 5, from: 1, to: 5, problems: [], problemsFound: 0,
    }); // oxfmt-ignore
    expect(check([])).toMatchObject({ ok: true, entries: 0, from: null, to: null });
  });

  it("names the entry that was changed, and goes on behind it", () => {
    const chain = chainOf(5);
    expect(numbersOf(chain.with(2, { ...chain[2]!, ref: "call_x" }))).toEqual([3]);
    // With a hash that fits, the link of the next one breaks.
    expect(numbersOf(chain.with(2, entryAfter(chain[1]!.hash, 3, "call_x")))).toEqual([4]);
  });

  it("names entries that are missing", () => {
    const chain = chainOf(6);
    expect(check(chain.toSpliced(2, 2)).problems[0]).toEqual({ seq: 3, what: "it and all up to 4 are missing" });
    expect(check(chain.slice(1)).problems[0]).toEqual({ seq: 1, what: "it is missing" });
  });

  it("finds a missing end by the database's own note, and a mended note by heads kept elsewhere", () => {
    const chain = chainOf(6);
    const cut = chain.slice(0, 4);
    expect(numbersOf(cut, 6, [headAt(chain[5]!)])).toEqual([6]);
    expect(numbersOf(cut, 4, [headAt(cut[3]!)])).toEqual([]);
    expect(numbersOf(cut, 4, [headAt(cut[3]!), headAt(chain[4]!)])).toEqual([5]);
    expect(numbersOf([], 0, [headAt(chain[0]!)])).toEqual([1]);
  });

  it("finds an end that was written anew with hashes that fit, by heads kept elsewhere", () => {
    const chain = chainOf(4);
    const anew = [...chain.slice(0, 2), entryAfter(chain[1]!.hash, 3, "call_x")];
    anew.push(entryAfter(anew[2]!.hash, 4));
    expect(numbersOf(anew)).toEqual([]);
    expect(numbersOf(anew, 4, [headAt(chain[1]!), headAt(chain[3]!)])).toEqual([4]);
  });

  it("finds entries before the first and behind the last one", () => {
    const chain = chainOf(3);
    expect(numbersOf([entryAfter(hashBeforeFirst, 0), ...chain], 3)).toEqual([0]);
    expect(numbersOf([...chain, entryAfter(chain[2]!.hash, 4)], 3)).toEqual([4]);
  });

  it("keeps the first thousand problems and counts all", () => {
    const broken = chainOf(1500).map((entry) => ({ ...entry, kind: "x" }));
    const result = check(broken);
    expect(result.problems).toHaveLength(1000);
    expect(result).toMatchObject({ ok: false, problemsFound: 1500 });
  });
});
