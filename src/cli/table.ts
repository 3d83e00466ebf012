import { type Span, textOf, toned } from "./terminal.ts";

/** One cell: a piece of text, or several in a row. */
export type Cell = Span | readonly Span[];

/** How {@link formatTable} lays out. */
export interface TableOptions {
  /** Default: no line of headings. */
  readonly headings?: readonly string[];
  /** Columns, from 0, whose text ends at the same place. Default: none. */
  readonly numbers?: readonly number[];
  /** Default: nothing. */
  readonly indent?: string;
}

const gap = "  ";

/** Lays rows out in aligned columns, each as wide as its widest cell; gives a line for each. */
export function formatTable(rows: readonly (readonly Cell[])[], options: TableOptions = {}): Span[][] {
  const { headings, numbers = [], indent = "" } = options;
  const all = headings ? [headings.map((text) => toned("faint", text)), ...rows] : rows;
  const columns = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...all.map((row) => widthOf(row[at] ?? ""))));
  return all.map((row) => [
    indent,
    ...row.flatMap((cell, at): Span[] => {
      const padding = " ".repeat((widths[at] ?? 0) - widthOf(cell));
      const spans = toSpans(cell);
      const end = at === row.length - 1 ? "" : gap;
      if (numbers.includes(at)) return [padding, ...spans, end];
      return [...spans, end && padding + end];
    }),
  ]);
}

const toSpans = (cell: Cell): readonly Span[] => (Array.isArray(cell) ? (cell as readonly Span[]) : [cell as Span]);

/** In UTF-16 units: exact for our own words, ids and names, which is all that tables hold but for a few error texts. */
const widthOf = (cell: Cell): number => toSpans(cell).reduce((width, span) => width + textOf(span).length, 0);
