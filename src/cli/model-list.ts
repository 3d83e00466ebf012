import type { ModelStatus } from "../ai/index.ts";
import { priceWords, stateSpan } from "./model-words.ts";
import { readModelStatus } from "./open-models.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { type Cell, formatTable } from "./table.ts";
import { toned } from "./terminal.ts";

/** `sluice models`: what each name stands for, in the order in which its models are asked. */
export async function listModels(context: CommandContext, options: CommonOptions): Promise<void> {
  const { terminal } = context;
  const models = await readModelStatus(context, options);
  if (options.json) return terminal.printJson({ models });
  const now = new Date();
  const headings = ["name", "model", "provider", "region", "may be sent", "a million tokens", ""];
  for (const line of formatTable(
    models.flatMap((model) => toRows(model, now)),
    { headings },
  ))
    terminal.print(...line);
  for (const { name, reason } of models) terminal.tell(toned("faint", `${name}: ${reason}`));
}

function toRows({ name, candidates }: ModelStatus, now: Date): Cell[][] {
  return candidates.map((candidate, at) => [
    at === 0 ? name : toned("faint", "  then"),
    candidate.model,
    candidate.provider,
    candidate.region ?? "",
    candidate.dataClasses.length === 0 ? "" : candidate.dataClasses.join(", "),
    priceWords(candidate),
    stateSpan(candidate, now),
  ]);
}
