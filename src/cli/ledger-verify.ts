import { readLedgerHeads } from "../ops/index.ts";
import type { LedgerVerdict } from "../store/index.ts";
import { exitCodes } from "./failure.ts";
import { countText } from "./money-text.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { times } from "./run-words.ts";
import { type Terminal, toned } from "./terminal.ts";
import { timeText } from "./time-text.ts";

/** More are only in the JSON document. */
const mostShown = 50;

/**
 * `sluice ledger verify`: checks every entry, what is stored of requests and answers, and the heads that were kept in the data
 * folder.
 *
 * @returns the exit code: 1 when something does not hold.
 */
export async function verifyLedger(context: CommandContext, options: CommonOptions): Promise<number> {
  const { terminal } = context;
  const verdict = await withData(context, options, async ({ workspace }, { folder }) =>
    workspace.ledger.verify({ heads: await readLedgerHeads(folder), content: true }),
  );
  if (options.json) terminal.printJson(verdict);
  else printVerdict(terminal, verdict);
  return verdict.ok ? exitCodes.ok : exitCodes.error;
}

function printVerdict(
  terminal: Terminal,
  { ok, entries, problems, problemsFound, head, content }: LedgerVerdict,
): void {
  const count = `${countText(entries)} ${entries === 1 ? "entry" : "entries"}`;
  if (ok)
    terminal.print(toned("good", "✓ the ledger holds"), `: ${count}, nothing changed, missing, put in or reordered`);
  else terminal.print(toned("bad", "✗ the ledger does not hold"), `: ${times(problemsFound, "problem")} in ${count}`);
  for (const { seq, what } of problems.slice(0, mostShown)) terminal.print(`  entry ${seq}: ${what}`);
  if (problemsFound > mostShown) terminal.print("  and others; see them with --json");
  if (content)
    terminal.print(
      `  ${countText(content.checked)} stored texts fit their digests; ${countText(content.gone)} were erased`,
    );
  if (!head) return;
  terminal.print(`  it ends with entry ${head.seq}, hash ${head.hash}`);
  terminal.tell(
    toned(
      "faint",
      `Keep that line elsewhere, with the time ${timeText(new Date())}: it shows an end that is cut off later.`,
    ),
  );
}
