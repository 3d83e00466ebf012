/** `npm run bench -- NAME`: answers one question with figures. Without a name it lists the questions. */
import { parseArgs } from "node:util";
import { flows } from "./flows.ts";
import { ingest } from "./ingest.ts";
import { type Benchmark, type BenchmarkReport, runBenchmark } from "./report.ts";
import { start } from "./start.ts";

const benchmarks: readonly Benchmark[] = [start, ingest, flows];

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const options = { json: { type: "boolean", default: false }, rounds: { type: "string" } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const [name] = positionals;
  const benchmark = benchmarks.find((candidate) => candidate.name === name);
  if (!benchmark) return refuse(name === undefined ? "no benchmark was named" : `there is no benchmark "${name}"`);
  const rounds = Number(values.rounds ?? benchmark.defaultRounds);
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100)) return refuse("--rounds takes 1 to 100");
  const report = await runBenchmark(benchmark, rounds, (what) => process.stderr.write(`${what}\n`));
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : toText(report));
  return 0;
}

function refuse(what: string): number {
  const lines = benchmarks.map(({ name, asks }) => `  ${name.padEnd(8)} ${asks}`);
  process.stderr.write(`error: ${what}\nusage: npm run bench -- NAME [--json] [--rounds N]\n${lines.join("\n")}\n`);
  return 2;
}

function toText({ benchmark, machine, rounds, figures }: BenchmarkReport): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  const lines = Object.entries(figures).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return `${benchmark}: medians of ${rounds.length} rounds on ${machine.cores} cores\n${lines.join("\n")}\n`;
}
