import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import type { BenchmarkReport } from "./report.ts";

const folder = new URL("results/", import.meta.url);
const guide = new URL("README.md", import.meta.url);

/** Keeps a report as `bench/results/NAME-YYYY-MM-DD.json`, over an earlier one of that day, and puts it into the table of the guide. */
export async function keepReport(report: BenchmarkReport): Promise<string> {
  const file = `${report.benchmark}-${report.date}.json`;
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(file, folder), `${JSON.stringify(report, null, 2)}\n`);
  await updateTable();
  return `bench/results/${file}`;
}

async function updateTable(): Promise<void> {
  const text = await readFile(guide, "utf8");
  const table = toTable(await readNewest());
  await writeFile(
    guide,
    text.replace(/(?<=<!-- results -->\n)[\s\S]*(?=<!-- end of results -->)/, () => table),
  );
}

/** The newest report of each benchmark; names sort by date. */
async function readNewest(): Promise<BenchmarkReport[]> {
  const newest = new Map<string, string>();
  for (const file of (await readdir(folder)).toSorted()) {
    const [, name] = /^(.+)-\d{4}-\d\d-\d\d\.json$/.exec(file) ?? [];
    if (name !== undefined) newest.set(name, file);
  }
  const texts = await Promise.all([...newest.values()].map((file) => readFile(new URL(file, folder), "utf8")));
  return texts.map((text) => JSON.parse(text) as BenchmarkReport);
}

function toTable(reports: readonly BenchmarkReport[]): string {
  const rows = reports.map(({ benchmark, command, date, rounds, figures }) => {
    const named = Object.entries(figures).map(([name, value]) => `\`${name}\` ${value}`);
    const options = command.replace(/^npm run bench -- \S+|--rounds \d+|--json/g, "").trim();
    return `| ${[benchmark, options].join(" ").trim()} | ${date}, ${rounds.length} | ${named.join(", ")} |`;
  });
  return ["| benchmark | date, rounds | figures |", "|---|---|---|", ...rows, ""].join("\n");
}
