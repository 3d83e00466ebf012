import type { FailureGroup } from "../store/index.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { readError } from "./run-timeline.ts";
import { statusSpan } from "./run-words.ts";
import { type Cell, formatTable } from "./table.ts";
import { toned } from "./terminal.ts";
import { agoText } from "./time-text.ts";

/** What `sluice runs failures` takes. */
export interface FailureListOptions extends CommonOptions {
  readonly limit: number;
}

/** `sluice runs failures`: failed and in-doubt runs, those of one kind together, the latest first. */
export async function listFailures(context: CommandContext, options: FailureListOptions): Promise<void> {
  const { terminal } = context;
  const groups = await withData(context, options, ({ workspace }) => workspace.runs.failures(options.limit));
  if (options.json) return terminal.printJson({ items: groups, next: null });
  if (groups.length === 0) return terminal.tell("No run has failed, or all were resumed.");
  const now = new Date();
  const rows = groups.map((group) => toRow(group, now));
  const [headings = [], ...lines] = formatTable(rows, {
    headings: ["group", "runs", "status", "flow", "step", "latest"],
    numbers: [1],
  });
  terminal.print(...headings);
  for (const [at, line] of lines.entries()) {
    const { code, message } = readError(groups[at]?.error ?? null);
    terminal.print(...line);
    terminal.print("  ", toned("bad", code), `: ${shorten(message)}`);
  }
  terminal.tell(toned("faint", "Go on with all runs of a group: sluice runs resume --group GROUP"));
  if (groups.some(({ error }) => readError(error).code === "FLOW_CHANGED"))
    terminal.tell(toned("faint", "Go on under the present code of a changed flow: sluice runs migrate --flow NAME"));
}

function toRow({ fingerprint, count, status, flow, step, lastAt }: FailureGroup, now: Date): Cell[] {
  return [fingerprint, String(count), statusSpan(status), flow, step ?? "its own code", agoText(lastAt, now)];
}

/** One line of a message, of a length that fits a terminal. */
function shorten(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length > 140 ? `${line.slice(0, 139)}…` : line;
}
