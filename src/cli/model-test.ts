import { candidatesToTest, type ModelTest, testModels as callModels } from "../ai/index.ts";
import { createGuardedFetch, resolveSecret } from "../connect/index.ts";
import type { SecretReference } from "../core/index.ts";
import { exitCodes, tellError } from "./failure.ts";
import { countText, usdText } from "./money-text.ts";
import { limitWords } from "./model-words.ts";
import { readModels } from "./open-models.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { type Cell, formatTable } from "./table.ts";
import { type Terminal, toned } from "./terminal.ts";
import { durationText } from "./time-text.ts";

/**
 * `sluice models test`: calls every model, or those of one name, once with a few words. The calls are not recorded and held
 * against no limit of ours; they cost what the providers charge.
 *
 * @returns the exit code: 1 when a model did not answer.
 * @throws MODEL_UNKNOWN
 */
export async function testModels(
  context: CommandContext,
  name: string | undefined,
  options: CommonOptions,
): Promise<number> {
  const { terminal, environment } = context;
  const models = await readModels(context, options);
  // Servers that the configuration names are often in a private network.
  const named = candidatesToTest(models, name).flatMap(({ spec }) =>
    "baseUrl" in spec && spec.baseUrl ? [new URL(spec.baseUrl).origin] : [],
  );
  const fetch = createGuardedFetch({ allowedOrigins: named });
  const resolve = (reference: SecretReference): string => resolveSecret(reference, environment).reveal();
  if (!options.json && terminal.isWatched) terminal.progress("calling each model once");
  try {
    const results = await callModels(models, name, { fetch, resolveSecret: resolve });
    terminal.progress(null);
    if (options.json) terminal.printJson({ results });
    else printTests(terminal, results);
    return results.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.error;
  } finally {
    await fetch.close();
  }
}

function printTests(terminal: Terminal, results: readonly ModelTest[]): void {
  const rows = results.map(({ name, provider, model, ok, latencyMs, costMicroUsd, limits }): Cell[] => [
    name,
    model,
    provider,
    ok ? toned("good", "✓ answers") : toned("bad", "✗ fails"),
    durationText(latencyMs),
    provider === "simulated" ? "free" : costMicroUsd === null ? "cost unknown" : usdText(costMicroUsd),
    limits.map(limitText).join(", "),
  ]);
  const headings = ["name", "model", "provider", "", "took", "cost", "limits told"];
  for (const line of formatTable(rows, { headings, numbers: [4, 5] })) terminal.print(...line);
  for (const { name, model, error } of results) {
    if (!error) continue;
    terminal.tell();
    terminal.tell(`${name}, ${model}:`);
    tellError(terminal, error);
  }
}

function limitText({ kind, limit, remaining }: ModelTest["limits"][number]): string {
  const parts = [remaining !== null && `${countText(remaining)} left`, limit !== null && `of ${countText(limit)}`];
  return `${parts.filter(Boolean).join(" ")} ${limitWords[kind]}`.trim();
}
