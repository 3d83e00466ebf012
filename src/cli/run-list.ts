import type { RunRecord, RunStatus } from "../store/index.ts";
import { UsageError } from "./failure.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { isRunStatus, runMarks, runStatuses, statusSpan } from "./run-words.ts";
import { type Cell, formatTable } from "./table.ts";
import { toned } from "./terminal.ts";
import { agoText, durationText } from "./time-text.ts";

/** What `sluice runs` takes. */
export interface RunListOptions extends CommonOptions {
  readonly flow?: string;
  /** One state, or several with commas between them. */
  readonly status?: string;
  readonly limit: number;
  readonly before?: string;
}

/** `sluice runs`: the newest runs, a line each. */
export async function listRuns(context: CommandContext, options: RunListOptions): Promise<void> {
  const { terminal } = context;
  const { flow, before, limit } = options;
  const status = readStatuses(options.status);
  const page = await withData(context, options, ({ workspace }) =>
    workspace.runs.list({ flow, status, before, limit }),
  );
  if (options.json) return terminal.printJson(page);
  if (page.items.length === 0) return terminal.tell(noRuns(options));
  const now = new Date();
  const headings = ["run", "flow", "status", "accepted", "took", ""];
  for (const line of formatTable(
    page.items.map((run) => toRow(run, now)),
    { headings, numbers: [4] },
  ))
    terminal.print(...line);
  if (page.next !== null) terminal.tell(toned("faint", `Older ones: ${sameListing(options)} --before ${page.next}`));
}

function toRow(run: RunRecord, now: Date): Cell[] {
  const took = run.finishedAt ? durationText(run.finishedAt.getTime() - run.queuedAt.getTime()) : "";
  return [run.id, run.flow, statusSpan(run.status), agoText(run.queuedAt, now), took, runMarks(run)];
}

function noRuns({ flow, status, before }: RunListOptions): string {
  const filtered = flow !== undefined || status !== undefined || before !== undefined;
  return filtered ? "No run fits." : "No runs yet. Start one with: sluice run FLOW --sample NAME";
}

function sameListing({ flow, status, limit }: RunListOptions): string {
  const filters = [flow && `--flow ${flow}`, status && `--status ${status}`, `--limit ${limit}`];
  return ["sluice runs", ...filters.filter(Boolean)].join(" ");
}

function readStatuses(text: string | undefined): RunStatus[] | undefined {
  return text?.split(",").map((part) => {
    const status = part.trim().replace(/[ -]/, "_");
    if (isRunStatus(status)) return status;
    throw new UsageError(
      `--status ${JSON.stringify(part)} is no state of a run`,
      `Give one or more of these, with commas between them: ${runStatuses.join(", ")}`,
    );
  });
}
