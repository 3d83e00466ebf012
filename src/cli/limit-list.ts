import type { ModelCandidate } from "../ai/index.ts";
import { countText } from "./money-text.ts";
import { limitWords, stateSpan } from "./model-words.ts";
import { readModelStatus } from "./open-models.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { times } from "./run-words.ts";
import { type Cell, formatTable } from "./table.ts";
import { type Span, type Terminal, toned } from "./terminal.ts";
import { agoText, durationText, timeText } from "./time-text.ts";

/** `sluice limits`: how much of each model's limits is used. Names that share a key and a model share its limits. */
export async function listLimits(context: CommandContext, options: CommonOptions): Promise<void> {
  const { terminal } = context;
  const models = await readModelStatus(context, options);
  const counted = models.flatMap(({ candidates }) => candidates.filter(({ bucket }) => bucket !== null));
  const buckets = [...new Map(counted.map((candidate) => [candidate.bucket, candidate])).values()];
  if (options.json) return terminal.printJson({ limits: buckets });
  if (buckets.length === 0) return terminal.tell("No model is limited: all answers come from the simulated model.");
  const now = new Date();
  for (const [at, candidate] of buckets.entries()) {
    if (at > 0) terminal.print();
    printBucket(terminal, candidate, now);
  }
}

function printBucket(terminal: Terminal, candidate: ModelCandidate, now: Date): void {
  const { provider, model, credential, inFlight, concurrency } = candidate;
  const state = stateSpan(candidate, now);
  terminal.print(toned("strong", model), ` of ${provider}  `, state, toned("faint", `  ${credential ?? ""}`));
  const rows: Cell[][] = candidate.gauges.map(({ kind, limit, used, perMs, learned }) => [
    limitWords[kind],
    countText(used),
    `of ${countText(limit)}`,
    `in ${durationText(perMs)}`,
    used >= limit ? toned("notable", "full") : "",
    learned ? toned("faint", "as the provider says") : "",
  ]);
  const mostAtOnce = concurrency === null ? "" : `of ${countText(concurrency)}`;
  for (const line of formatTable([...rows, ["under way", countText(inFlight), mostAtOnce]], {
    numbers: [1],
    indent: "  ",
  }))
    terminal.print(...line);
  for (const line of notesOf(candidate, now)) terminal.print("  ", ...line);
}

function notesOf({ waiting, recentRateLimits, forecast }: ModelCandidate, now: Date): Span[][] {
  const notes: Span[][] = [];
  const [latest] = recentRateLimits;
  if (waiting > 0) notes.push([`${times(waiting, "call")} waiting for room`]);
  if (latest) {
    const ago = agoText(new Date(latest.at), now);
    notes.push([`refused ${times(recentRateLimits.length, "time")} by the provider (429), the last time ${ago}`]);
  }
  if (forecast) {
    const end = timeText(new Date(forecast.endsAt));
    notes.push([toned("notable", `at this pace the limit of ${limitWords[forecast.kind]} is reached at ${end}`)]);
  }
  return notes;
}
