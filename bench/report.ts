import { cpus, totalmem } from "node:os";
import { readFileSync } from "node:fs";

/** Named numbers with the unit in the name. */
export type Figures = { readonly [name: string]: number };

/** A question that a benchmark answers with figures. */
export interface Benchmark {
  readonly name: string;
  /** One sentence for the list of benchmarks. */
  readonly asks: string;
  readonly defaultRounds: number;
  /** Plays one round from nothing; the figures of the benchmark are the medians over all rounds. */
  readonly play: (tell: (what: string) => void) => Promise<Figures>;
}

/** What a benchmark prints. */
export interface BenchmarkReport {
  readonly benchmark: string;
  readonly command: string;
  readonly versions: { readonly [name: string]: string };
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly system: string;
  };
  readonly rounds: readonly Figures[];
  readonly figures: Figures;
}

/** Plays all rounds. */
export async function runBenchmark(
  { name, play }: Benchmark,
  rounds: number,
  tell: (what: string) => void,
): Promise<BenchmarkReport> {
  const played: Figures[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    played.push(await play((what) => tell(`${name} ${round}/${rounds}: ${what}`)));
  }
  const names = Object.keys(played[0] ?? {});
  return {
    benchmark: name,
    command: `npm run bench -- ${name} --rounds ${rounds}`,
    versions: {
      sluice: versionOf("package.json"),
      node: process.versions.node,
      dbos: versionOf("node_modules/@dbos-inc/dbos-sdk/package.json"),
    },
    machine: describeMachine(),
    rounds: played,
    figures: Object.fromEntries(names.map((key) => [key, median(played.map((figures) => figures[key] ?? NaN))])),
  };
}

/** The middle value; of an even number of values the mean of the two in the middle. */
function median(values: readonly number[]): number {
  return round(percentile(values, 0.5));
}

/** The value below which a share of all values lies, interpolated. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below = NaN, above = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** Three digits are more than a benchmark can promise. */
function round(value: number): number {
  return Number(value.toPrecision(value >= 1000 ? 4 : 3));
}

function versionOf(manifest: string): string {
  const path = new URL(`../${manifest}`, import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function describeMachine(): BenchmarkReport["machine"] {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
  };
}
