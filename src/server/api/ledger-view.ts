import type { LedgerEntry, LedgerVerdict } from "../../store/index.ts";
import type { LedgerEntryView, LedgerVerdictView } from "./schemas.ts";

export function toLedgerEntryView({ seq, at, kind, runId, ref, digest, data, hash }: LedgerEntry): LedgerEntryView {
  return { seq, at: at.toISOString(), kind, runId, ref, digest, data, hash };
}

export function toLedgerVerdictView(verdict: LedgerVerdict): LedgerVerdictView {
  const { ok, entries, from, to, problems, problemsFound, head, content } = verdict;
  return {
    ok,
    entries,
    from,
    to,
    problems: [...problems],
    problemsFound,
    heads: head ? [{ seq: head.seq, hash: head.hash, at: head.at }] : [],
    content: content && { ...content },
  };
}
