import { clsx } from "clsx";
import type { LedgerVerdictView } from "../api.ts";
import { formatCount, formatExact, plural, toSentence } from "../format.ts";
import { StatusIcon } from "./status.tsx";

/** So many problems are listed; after the first few, more say nothing new. */
const listedProblems = 20;

/** What checking the chain showed: that it holds, or what does not hold and where. */
export function LedgerVerdict({ verdict }: { readonly verdict: LedgerVerdictView }) {
  const { ok, entries, problemsFound, heads } = verdict;
  const [head] = heads;
  return (
    <div
      role="status"
      data-testid="verdict"
      data-ok={ok}
      className={clsx("flex items-start gap-2.5 rounded-lg px-4 py-3", ok ? "bg-ok-soft" : "bg-fail-soft")}
    >
      <span className="pt-[3px]">
        <StatusIcon status={ok ? "succeeded" : "failed"} />
      </span>
      <div className="min-w-0 space-y-1">
        <p className="font-medium">
          {ok
            ? `${entries === 1 ? "The one entry stands" : `All ${formatCount(entries)} entries stand`} as written.`
            : `${plural(problemsFound, "thing does", "things do")} not hold in ${plural(entries, "entry", "entries")}.`}
        </p>
        <Checked verdict={verdict} />
        <Problems verdict={verdict} />
        {head && (
          <p className="text-ink-2" title={formatExact(head.at)}>
            Head: entry {formatCount(head.seq)}, <code className="text-xs break-all">{head.hash}</code>. Keep it
            elsewhere: an end that is cut off shows by it.
          </p>
        )}
      </div>
    </div>
  );
}

/** What was looked at. */
function Checked({ verdict: { from, to, content } }: { readonly verdict: LedgerVerdictView }) {
  if (from === null || to === null) return null;
  return (
    <p className="text-ink-2 tabular-nums">
      Checked from entry {formatCount(from)} to {formatCount(to)}
      {content !== null &&
        `, with ${plural(content.checked, "stored request or answer", "stored requests and answers")} that fit their digests; ${formatCount(content.gone)} are erased`}
      .
    </p>
  );
}

function Problems({ verdict: { problems, problemsFound } }: { readonly verdict: LedgerVerdictView }) {
  if (problems.length === 0) return null;
  const shown = problems.slice(0, listedProblems);
  return (
    <ul className="divide-y divide-line rounded-md border border-line bg-surface">
      {shown.map(({ seq, what }) => (
        <li key={`${seq} ${what}`} className="flex gap-3 px-3 py-1.5">
          <span className="w-20 shrink-0 text-ink-2 tabular-nums">Entry {formatCount(seq)}</span>
          <span className="min-w-0 break-words">{toSentence(what)}</span>
        </li>
      ))}
      {problemsFound > shown.length && (
        <li className="px-3 py-1.5 text-ink-2">And {formatCount(problemsFound - shown.length)} more.</li>
      )}
    </ul>
  );
}
