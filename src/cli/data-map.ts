import { builtInDetectors, type DataMap, type MappedCall, readDataMap, traceSends } from "../ai/index.ts";
import { toMarkdown } from "./data-map-markdown.ts";
import { withData } from "./open-data.ts";
import { readModels } from "./open-models.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { times } from "./run-words.ts";
import { loadProject } from "./serve.ts";
import { type Cell, formatTable } from "./table.ts";
import { type Terminal, toned } from "./terminal.ts";
import { agoText } from "./time-text.ts";

/** What `sluice flows data-map` takes. */
export interface DataMapOptions extends CommonOptions {
  readonly days: number;
  readonly markdown?: boolean;
}

const dayMs = 24 * 3_600_000;

/** `sluice flows data-map`: what goes where, by the calls that were made; flows without calls are run dry on a sample. */
export async function showDataMap(context: CommandContext, options: DataMapOptions): Promise<void> {
  const { terminal } = context;
  const { config } = await loadProject(context, options);
  const gateway = {
    models: await readModels(context, options),
    detectors: builtInDetectors(),
    masking: config.masking?.policy,
  };
  const to = new Date();
  const period = { from: new Date(to.getTime() - options.days * dayMs), to };
  const map = await withData(context, options, ({ workspace }) =>
    readDataMap({
      flows: config.flows,
      workspace,
      period,
      trace: (flow, payload) => traceSends({ flow, payload, gateway }),
    }),
  );
  if (options.json) terminal.printJson(map);
  else if (options.markdown) for (const line of toMarkdown(map)) terminal.print(line);
  else printMap(terminal, map);
}

function printMap(terminal: Terminal, { flows }: DataMap): void {
  const now = new Date();
  for (const [at, { flow, source, calls, note }] of flows.entries()) {
    if (at > 0) terminal.print();
    terminal.print(toned("strong", flow), toned("faint", `  from ${source}`));
    const headings = ["step", "field", "from", "masked", "goes to", "by"];
    const rows = calls.flatMap((call) => toRows(call, now));
    if (rows.length === 0) terminal.print("  sends nothing to a model");
    else for (const line of formatTable(rows, { headings, indent: "  " })) terminal.print(...line);
    if (note !== null) terminal.print("  ", toned("notable", note));
  }
}

function toRows(call: MappedCall, now: Date): Cell[][] {
  const { step, provider, model, region, fields, basis, calls, lastAt } = call;
  const to = `${provider}/${model}${region === null ? "" : ` in ${region}`}`;
  const by =
    basis === "traced" || lastAt === null ? "a trace" : `${times(calls, "call")}, ${agoText(new Date(lastAt), now)}`;
  return fields.map(({ name, sources, masked }, at) => [
    at === 0 ? step : "",
    name,
    sources.join(", ") || toned("faint", "made by the flow"),
    masked.join(", ") || toned("faint", "nothing"),
    at === 0 ? to : "",
    at === 0 ? by : "",
  ]);
}
