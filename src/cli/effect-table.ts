import type { ReceiptSummary } from "../store/index.ts";
import { receiptWords } from "./run-words.ts";
import { type Cell, formatTable } from "./table.ts";
import { type Terminal, toned } from "./terminal.ts";

/** Most effects that are told one by one. */
const mostLines = 20;

/** Tells effects under a title: action, connection, what is known, and the key. Nothing when there are none. */
export function tellEffects(terminal: Terminal, title: string, receipts: readonly ReceiptSummary[]): void {
  if (receipts.length === 0) return;
  terminal.tell(toned("strong", title));
  const rows = receipts
    .slice(0, mostLines)
    .map(({ action, connection, state, key }): Cell[] => [
      action,
      connection,
      toned(state === "done" ? "good" : "notable", receiptWords[state]),
      toned("faint", key),
    ]);
  for (const line of formatTable(rows, { indent: "  " })) terminal.tell(...line);
  if (receipts.length > mostLines) terminal.tell(toned("faint", `  and ${receipts.length - mostLines} more`));
}

/** Names of actions, each once. */
export function actionNames(receipts: readonly ReceiptSummary[]): string {
  return [...new Set(receipts.map(({ action }) => action))].join(", ");
}
