// `npm run check`: every check that CI makes, one after the other, up to the first that fails.
// `npm run check -- NAME...` makes only those: npm run check -- lint types
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: { [name: string]: string } };
const prefix = "check:";
const all = Object.keys(scripts).flatMap((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : []));
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !all.includes(name));
const names = asked.length === 0 ? all : asked;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(6)} s`;

if (unknown !== undefined) {
  print(`There is no check "${unknown}". There are: ${all.join(" ")}`);
  process.exit(2);
}

const lines: string[] = [];
const began = performance.now();
let failed: string | undefined;
for (const name of names) {
  print(`\n── ${name}: ${scripts[prefix + name]}`);
  const start = performance.now();
  const { status } = spawnSync("npm", ["run", "--silent", prefix + name], { stdio: "inherit" });
  if (status !== 0) failed = name;
  lines.push(`${status === 0 ? "ok  " : "FAIL"} ${name.padEnd(10)} ${seconds(performance.now() - start)}`);
  if (failed !== undefined) break;
}
print(`\n${[...lines, `     ${"all".padEnd(10)} ${seconds(performance.now() - began)}`].join("\n")}`);
if (failed !== undefined) print(`\nRun it alone with: npm run ${prefix}${failed}`);
process.exitCode = failed === undefined ? 0 : 1;
