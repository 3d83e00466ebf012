import { clsx } from "clsx";
import { useState } from "react";
import type { CostRowView } from "../api.ts";
import { formatCost, formatDay, plural } from "../format.ts";

interface CostChartProps {
  /** All days of the period, in order, as `2026-03-09`. */
  readonly days: readonly string[];
  readonly rows: readonly CostRowView[];
}

const heightPx = 148;
const topPx = 8;

/** How much of a day's width stays free at each side of its bar: few days would make very broad ones. */
const marginOf = (days: number): number => (days <= 10 ? 0.3 : 0.14);

/** A sum of one figure or of two with a five, at least `most`: the end of the scale. */
function roundUp(most: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return magnitude * ([1, 2, 2.5, 5].find((round) => most <= round * magnitude) ?? 10);
}

/** What each day cost, as bars. Pointing at a day tells it; the same figures stand in the table by day. */
export function CostChart({ days, rows }: CostChartProps) {
  const [pointed, setPointed] = useState<string | null>(null);
  const byDay = new Map(rows.map((row) => [row.key, row]));
  const most = Math.max(0, ...rows.map(({ costMicroUsd }) => costMicroUsd));
  const top = roundUp(most);
  const label = `Cost per day from ${formatDay(days[0] ?? "")} to ${formatDay(days.at(-1) ?? "")}, at most ${formatCost(most)}`;
  return (
    <div className="px-4 pt-2 pb-3">
      <p className="flex min-h-6 flex-wrap justify-between gap-x-4 text-xs text-ink-2 tabular-nums">
        <span>{pointed === null ? "Cost per day" : daySentence(pointed, byDay.get(pointed))}</span>
        {rows.some(({ unpricedCalls }) => unpricedCalls > 0) && (
          <span className="flex items-center gap-2">
            <span className="h-[3px] w-4 bg-doubt" />
            with calls of unknown price
          </span>
        )}
      </p>
      <div className="flex gap-2 text-xs text-ink-3 tabular-nums">
        <div aria-hidden="true" className="flex flex-col justify-between text-right" style={{ height: heightPx }}>
          <span className="-mt-0.5">{formatCost(top)}</span>
          <span>{formatCost(top / 2)}</span>
          <span className="-mb-1">0</span>
        </div>
        <div className="min-w-0 flex-1">
          <svg
            role="img"
            aria-label={label}
            width="100%"
            height={heightPx}
            className="block overflow-visible"
            onPointerLeave={() => setPointed(null)}
          >
            {[0, 0.5, 1].map((share) => (
              <line
                key={share}
                x1="0"
                x2="100%"
                y1={lineAt(share)}
                y2={lineAt(share)}
                className={share === 0 ? "stroke-line-strong" : "stroke-line"}
              />
            ))}
            {days.map((day, index) => (
              <DayBar
                key={day}
                row={byDay.get(day)}
                left={index / days.length}
                width={1 / days.length}
                margin={marginOf(days.length)}
                top={top}
                pointed={day === pointed}
                onPoint={() => setPointed(day)}
              />
            ))}
          </svg>
          <div aria-hidden="true" className="mt-1 flex justify-between">
            <span>{shortDay(days[0])}</span>
            <span>{shortDay(days.at(-1))}</span>
          </div>
        </div>
      </div>
    </div>
  );
}

const lineAt = (share: number): number => heightPx - share * (heightPx - topPx) - 0.5;
const shortDay = (day: string | undefined): string => (day === undefined ? "" : formatDay(day).replace(/ \d{4}$/, ""));

function daySentence(day: string, row: CostRowView | undefined): string {
  if (!row || row.calls === 0) return `${formatDay(day)}: no call`;
  const unpriced = row.unpricedCalls > 0 ? `, and ${plural(row.unpricedCalls, "call")} of unknown price` : "";
  return `${formatDay(day)}: ${formatCost(row.costMicroUsd)} for ${plural(row.calls, "call")}${unpriced}`;
}

interface DayBarProps {
  readonly row: CostRowView | undefined;
  /** Place and width as shares of the chart. */
  readonly left: number;
  readonly width: number;
  /** Free at each side, as a share of the width. */
  readonly margin: number;
  readonly top: number;
  readonly pointed: boolean;
  readonly onPoint: () => void;
}

function DayBar({ row, left, width, margin, top, pointed, onPoint }: DayBarProps) {
  const cost = row?.costMicroUsd ?? 0;
  // A day that cost something is seen, however little it was.
  const heightOfBar = cost === 0 ? 0 : Math.max(2, (cost / top) * (heightPx - topPx));
  return (
    <g onPointerEnter={onPoint}>
      <rect
        x={`${left * 100}%`}
        width={`${width * 100}%`}
        y="0"
        height={heightPx}
        className={clsx(pointed ? "fill-hover" : "fill-transparent")}
      />
      <rect
        x={`${(left + width * margin) * 100}%`}
        width={`${width * (1 - 2 * margin) * 100}%`}
        y={heightPx - heightOfBar - 0.5}
        height={heightOfBar}
        className="fill-accent"
      />
      {row !== undefined && row.unpricedCalls > 0 && (
        <rect
          x={`${(left + width * margin) * 100}%`}
          width={`${width * (1 - 2 * margin) * 100}%`}
          y={heightPx - heightOfBar - 5.5}
          height="3"
          className="fill-doubt"
        />
      )}
    </g>
  );
}
