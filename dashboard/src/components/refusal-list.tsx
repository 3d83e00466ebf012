import type { Refusal } from "../api.ts";
import { formatCount } from "../format.ts";
import { refusalWords } from "../words.ts";

/** Refused deliveries, summed by source and reason, the most frequent first. */
export function RefusalList({
  refusals,
  withSource,
}: {
  readonly refusals: readonly Refusal[];
  readonly withSource: boolean;
}) {
  const sums = new Map<string, Refusal>();
  for (const refusal of refusals) {
    const key = withSource ? `${refusal.source} ${refusal.code}` : refusal.code;
    sums.set(key, { ...refusal, count: refusal.count + (sums.get(key)?.count ?? 0) });
  }
  const rows = [...sums].toSorted(([, a], [, b]) => b.count - a.count);
  return (
    <ul className="divide-y divide-line">
      {rows.map(([key, { code, source, count }]) => (
        <li key={key} className="flex min-h-8 items-center gap-3 px-4 py-1">
          <span className="min-w-0 flex-1" title={code}>
            {refusalWords(code)}
            {withSource && <span className="ml-2 font-mono text-xs text-ink-3">{source}</span>}
          </span>
          <span className="tabular-nums">{formatCount(count)}</span>
        </li>
      ))}
    </ul>
  );
}
