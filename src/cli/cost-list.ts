import type { CostFigures, CostKey, Period, PresentBudget } from "../store/index.ts";
import { countText, usdText } from "./money-text.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { times } from "./run-words.ts";
import { type Cell, formatTable } from "./table.ts";
import { type Terminal, toned } from "./terminal.ts";

/** What `sluice costs` takes. */
export interface CostOptions extends CommonOptions {
  readonly by: CostKey;
  readonly days: number;
}

const dayMs = 24 * 3_600_000;

/** `sluice costs`: what AI calls cost by flow, model or day, and the budgets of now. */
export async function listCosts(context: CommandContext, options: CostOptions): Promise<void> {
  const { terminal } = context;
  const to = new Date();
  const period: Period = { from: new Date(to.getTime() - options.days * dayMs), to };
  const { rows, total, budgets } = await withData(context, options, async ({ workspace: { costs } }) => ({
    ...(await costs.by(options.by, period)),
    budgets: await costs.budgets(to),
  }));
  if (options.json) return terminal.printJson({ ...period, rows, total, budgets });
  if (rows.length === 0) terminal.tell(`No AI call in the last ${times(options.days, "day")}.`);
  else printCosts(terminal, options.by, [...rows, { key: "all", ...total }]);
  printBudgets(terminal, budgets);
}

function printCosts(terminal: Terminal, by: CostKey, rows: readonly (CostFigures & { readonly key: string })[]): void {
  const headings = [by, "calls", "failed", "tokens in", "out", "cost", "runs", "succeeded", "each"];
  const cells = rows.map((row): Cell[] => [
    row.key,
    countText(row.calls),
    countText(row.failed),
    countText(row.inputTokens),
    countText(row.outputTokens),
    usdText(row.costMicroUsd),
    countText(row.runs),
    countText(row.succeededRuns),
    row.costPerSuccessMicroUsd === null ? "" : usdText(row.costPerSuccessMicroUsd),
  ]);
  for (const line of formatTable(cells, { headings, numbers: [1, 2, 3, 4, 5, 6, 7, 8] })) terminal.print(...line);
  const total = rows.at(-1);
  if (total && total.unpricedCalls > 0)
    terminal.tell(toned("notable", `${times(total.unpricedCalls, "call")} of unknown cost are in no sum.`));
  if (total && total.estimatedCalls > 0)
    terminal.tell(
      toned("faint", `${times(total.estimatedCalls, "call")} with estimated usage: the provider did not say.`),
    );
}

function printBudgets(terminal: Terminal, budgets: readonly PresentBudget[]): void {
  if (budgets.length === 0) return;
  terminal.print();
  const rows = budgets.map(({ account, limitMicroUsd, spentMicroUsd }): Cell[] => [
    account,
    usdText(spentMicroUsd),
    `of ${usdText(limitMicroUsd)}`,
    spentMicroUsd >= limitMicroUsd ? toned("bad", "spent") : "",
  ]);
  for (const line of formatTable(rows, { headings: ["budget", "spent", "", ""], numbers: [1] }))
    terminal.print(...line);
}
