import type { DataMap, MappedCall, MappedFlow } from "../ai/index.ts";

/** Writes a data map as a Markdown document: a table for each flow, as for a record of processing activities. */
export function toMarkdown({ from, to, flows }: DataMap): string[] {
  return [
    "# What goes to AI models",
    "",
    `Written by \`sluice flows data-map\` on ${dayOf(to)}, from the calls since ${dayOf(from)}. Flows without calls were run dry on a`,
    "sample, with nothing executed and nothing sent: they are marked as traced. Masked values are replaced by placeholders before",
    "anything leaves; masking reduces what personal data a model sees, and finds no more than its rules know.",
    ...flows.flatMap(toSection),
  ];
}

function toSection({ flow, source, calls, note }: MappedFlow): string[] {
  const rows = calls.flatMap((call) =>
    call.fields.map(({ name, sources, masked }) => [
      call.step,
      name,
      sources.length === 0 ? "made by the flow" : `${source}: ${sources.join(", ")}`,
      destinationOf(call),
      masked.join(", ") || "nothing",
      basisOf(call),
    ]),
  );
  const headings = ["Step", "Field", "Source", "Goes to", "Masked", "Basis"];
  return [
    "",
    `## ${escape(flow)}`,
    "",
    ...(rows.length === 0
      ? ["Sends nothing to a model."]
      : [toRow(headings), toRow(headings.map(() => "---")), ...rows.map(toRow)]),
    ...(note === null ? [] : ["", escape(note)]),
  ];
}

function destinationOf({ provider, model, region, lane }: MappedCall): string {
  if (provider === "simulated") return "nowhere (simulated model)";
  return `${provider}, ${model}, ${region ?? "region not named"}${lane === "batch" ? ", batch" : ""}`;
}

function basisOf({ basis, calls, lastAt }: MappedCall): string {
  if (basis === "traced" || lastAt === null) return "traced from a sample";
  return `observed ${calls === 1 ? "once" : `${calls} times`}, last ${lastAt.slice(0, 16).replace("T", " ")} UTC`;
}

const dayOf = (time: string): string => time.slice(0, 10);

const toRow = (cells: readonly string[]): string => `| ${cells.map(escape).join(" | ")} |`;

/** Names of steps and fields may hold anything. */
function escape(text: string): string {
  return text.replaceAll(/[\r\n]+/g, " ").replaceAll(/[\\`*_[\]<>|#]/g, (character) => `\\${character}`);
}
