/** `npm run bench -- NAME`: answers one question with figures. Without a name it lists the questions. */
import { parseArgs } from "node:util";
import { flows } from "./flows.ts";
import { gateway } from "./gateway.ts";
import { ingest } from "./ingest.ts";
import { masking } from "./masking.ts";
import { parked } from "./parked.ts";
import { type Benchmark, type BenchmarkReport, runBenchmark } from "./report.ts";
import { keepReport } from "./results.ts";
import { start } from "./start.ts";
import { wake } from "./wake.ts";

const benchmarks: readonly Benchmark[] = [start, ingest, flows, parked, wake, gateway, masking];

const usage = "npm run bench -- NAME [--json] [--rounds N] [--count N] [--no-keep]";

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const options = {
    json: { type: "boolean", default: false },
    rounds: { type: "string" },
    count: { type: "string" },
    keep: { type: "boolean", default: true },
  } as const;
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, allowNegative: true });
  const [name] = positionals;
  const benchmark = benchmarks.find((candidate) => candidate.name === name);
  if (!benchmark) return refuse(name === undefined ? "no benchmark was named" : `there is no benchmark "${name}"`);
  const rounds = Number(values.rounds ?? benchmark.defaultRounds);
  if (!isWhole(rounds, 1, 100)) return refuse("--rounds takes 1 to 100");
  const count = values.count === undefined ? benchmark.defaultCount : Number(values.count);
  if (values.count !== undefined && benchmark.defaultCount === undefined) return refuse(`${name} takes no --count`);
  if (count !== undefined && !isWhole(count, 100, 1_000_000)) return refuse("--count takes 100 to 1000000");
  const report = await runBenchmark(benchmark, { rounds, count, tell });
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : toText(report));
  if (values.keep) tell(`kept as ${await keepReport(report)}`);
  return 0;
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function refuse(what: string): number {
  const lines = benchmarks.map(({ name, asks }) => `  ${name.padEnd(8)} ${asks}`);
  process.stderr.write(`error: ${what}\nusage: ${usage}\n${lines.join("\n")}\n`);
  return 2;
}

function toText({ benchmark, machine, rounds, figures }: BenchmarkReport): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  const lines = Object.entries(figures).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return `${benchmark}: medians of ${rounds.length} rounds on ${machine.cores} cores\n${lines.join("\n")}\n`;
}
