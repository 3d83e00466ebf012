import { isRecord } from "../core/index.ts";
import type { LedgerEntry } from "../store/index.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { type Cell, formatTable } from "./table.ts";
import { toned } from "./terminal.ts";
import { timeText } from "./time-text.ts";

/** What `sluice ledger search` takes. */
export interface LedgerSearchOptions extends CommonOptions {
  readonly subject?: string;
  readonly run?: string;
  readonly kind?: string;
  readonly limit: number;
  readonly before?: string;
}

/** `sluice ledger search`: entries, the newest first. */
export async function searchLedger(context: CommandContext, options: LedgerSearchOptions): Promise<void> {
  const { terminal } = context;
  const { subject, run, kind, limit, before } = options;
  const page = await withData(context, options, ({ workspace }) =>
    workspace.ledger.page({ subject, runId: run, kind, limit, before }),
  );
  if (options.json) return terminal.printJson(page);
  if (page.items.length === 0) return terminal.tell("No entry fits.");
  const headings = ["entry", "at", "kind", "about", "run", "digest"];
  for (const line of formatTable(page.items.map(toRow), { headings, numbers: [0] })) terminal.print(...line);
  if (page.next !== null) terminal.tell(toned("faint", `Older ones: the same command with --before ${page.next}`));
}

function toRow({ seq, at, kind, data, runId, digest }: LedgerEntry): Cell[] {
  return [String(seq), timeText(at), kind, aboutText(data), runId ?? "", toned("faint", digest?.slice(0, 19) ?? "")];
}

/** The facts of an entry that tell it from others, in a few words. */
function aboutText(data: unknown): string {
  const { provider, model, fields, status, code, by, runs, account, name } = isRecord(data) ? data : {};
  const parts = [
    typeof provider === "string" && typeof model === "string" && `${provider}/${model}`,
    Array.isArray(fields) && fields.join(", "),
    typeof status === "string" && status,
    typeof code === "string" && code,
    typeof runs === "number" && `${runs} runs`,
    typeof account === "string" && account,
    typeof name === "string" && name,
    typeof by === "string" && `by ${by}`,
  ];
  return parts.filter(Boolean).join("; ");
}
