/** `npm run proof -- NAME|NUMBER`: puts a promise to the test, and exits 0 only when it holds. See README.md. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import type { Experiment, Figures, Outcome } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import { closeLabs } from "./lab.ts";

/** What is printed of an experiment. */
interface Verdict {
  readonly experiment: string;
  readonly seed: number;
  readonly rounds: number;
  readonly holds: boolean;
  readonly figures: Figures;
  readonly violations: readonly string[];
  /** Why this machine cannot play it, or a part of it. */
  readonly skipped?: string;
}

interface Settings {
  readonly seed: number;
  readonly rounds: number | undefined;
  readonly count: number | undefined;
  readonly budgetUsd: number | undefined;
  readonly short: boolean;
  readonly json: boolean;
}

/** Repeats the short form exactly. */
const shortSeed = 20_260_731;

/** A broken promise breaks for every run alike: more sentences say nothing more. */
const maxViolations = 50;

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => void closeLabs().finally(() => process.exit(130)));
}
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const asked = readArguments(argv);
  if (typeof asked === "string") return refuse(asked);
  const { chosen, settings, list } = asked;
  if (list) return print(settings.json ? toJson(experiments.map(describe)) : `${listAll()}\n`);
  const isAll = chosen.length > 1;
  const verdicts: Verdict[] = [];
  for (const experiment of chosen) {
    const verdict = await play(experiment, settings);
    verdicts.push(verdict);
    if (!settings.json) print(isAll ? `${toLine(verdict)}\n` : toText(experiment, verdict));
  }
  if (settings.json) print(toJson(isAll ? verdicts : verdicts[0]));
  return verdicts.every((verdict) => verdict.holds || (isAll && wasSkipped(verdict))) ? 0 : 1;
}

interface Asked {
  readonly chosen: readonly Experiment[];
  readonly settings: Settings;
  readonly list: boolean;
}

/** Gives what is wrong with the arguments as a text. */
function readArguments(argv: readonly string[]): Asked | string {
  const options = {
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    short: { type: "boolean", default: false },
    rounds: { type: "string" },
    count: { type: "string" },
    concurrency: { type: "string" },
    "budget-usd": { type: "string" },
    seed: { type: "string" },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const { json, list, short } = values;
    const seed = readWhole("seed", values.seed) ?? (short ? shortSeed : randomInt(1, 2 ** 31));
    const [rounds, count] = [readWhole("rounds", values.rounds), readWhole("count", values.count)];
    const budgetUsd = readAmount("budget-usd", values["budget-usd"]);
    const chosen = list ? [] : choose(positionals);
    if (budgetUsd !== undefined && chosen.some((experiment) => !experiment.hasBudget)) {
      throw new Error(
        `--budget-usd is for experiments with a budget, not ${chosen.map(({ name }) => name).join(", ")}`,
      );
    }
    // Where what is counted happens at once, that is the word for it.
    const settings = {
      seed,
      rounds,
      count: count ?? readWhole("concurrency", values.concurrency),
      budgetUsd,
      short,
      json,
    };
    return { chosen, list, settings };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readWhole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number from 1, not "${text}"`);
}

function readAmount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}(?:\.\d{1,6})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new Error(`--${name} takes US dollars above 0, such as 1 or 0.25, not "${text}"`);
}

function choose(names: readonly string[]): readonly Experiment[] {
  const [name, more] = names;
  if (name === undefined) throw new Error("no experiment was named");
  if (more !== undefined) throw new Error(`one experiment at a time, or all: "${more}" is too much`);
  if (name === "all") return experiments;
  const found = experiments.filter((experiment) => experiment.name === name || String(experiment.number) === name);
  if (found.length === 0) throw new Error(`there is no experiment "${name}"`);
  return found;
}

async function play(experiment: Experiment, settings: Settings): Promise<Verdict> {
  const { name, usual, brief } = experiment;
  const { seed, short } = settings;
  const extent = short ? brief : usual;
  const { rounds = extent.rounds, count = extent.count, budgetUsd } = settings;
  const tell = (what: string): void => void process.stderr.write(`${name}: ${what}\n`);
  tell(`seed ${seed}`);
  const outcome = await experiment
    .run({ seed, rounds, count, short, tell, ...(budgetUsd !== undefined && { budgetUsd }) })
    .catch(toBroken);
  const { violations, figures, holds, skipped } = outcome;
  return {
    experiment: name,
    seed,
    rounds: outcome.rounds,
    holds: holds && violations.length === 0,
    figures,
    violations: cut(violations),
    ...(skipped !== undefined && { skipped }),
  };
}

/** An experiment that could not be played to its end proves nothing. */
function toBroken(error: unknown): Outcome {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { holds: false, rounds: 0, figures: {}, violations: [`the experiment broke off: ${what}`] };
}

function cut(violations: readonly string[]): readonly string[] {
  if (violations.length <= maxViolations) return violations;
  return [...violations.slice(0, maxViolations), `and ${violations.length - maxViolations} more`];
}

function wasSkipped({ rounds, skipped }: Verdict): boolean {
  return rounds === 0 && skipped !== undefined;
}

function refuse(what: string): number {
  const usage =
    "usage: npm run proof -- NAME|NUMBER|all [--json] [--short] [--rounds N] [--count N] [--seed N] [--budget-usd USD] [--list]";
  process.stderr.write(`error: ${what}\n${usage}\n${listAll()}\n`);
  return 2;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function describe({ name, number, asks, holdsWhen, counts, usual, brief }: Experiment): object {
  return { name, number, asks, holdsWhen, counts, usual, brief };
}

function listAll(): string {
  const width = Math.max(0, ...experiments.map(({ name }) => name.length));
  return experiments
    .map(
      ({ number, name, asks, holdsWhen }) =>
        `${String(number).padStart(4)} ${name.padEnd(width)}  ${asks}: ${holdsWhen}`,
    )
    .join("\n");
}

function toWord(verdict: Verdict): string {
  if (wasSkipped(verdict)) return "skipped";
  return verdict.holds ? "holds" : "DOES NOT HOLD";
}

function toFigures(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function toLine(verdict: Verdict): string {
  const { experiment, seed, figures, violations, skipped } = verdict;
  const why = [violations[0], skipped].filter((text) => text !== undefined).map((text) => `; ${text.split("\n")[0]}`);
  return `${experiment.padEnd(14)} ${toWord(verdict)} (seed ${seed}) ${toFigures(figures)}${why.join("")}`;
}

function toText({ asks, holdsWhen }: Experiment, verdict: Verdict): string {
  const { experiment, seed, rounds, figures, violations, skipped } = verdict;
  const width = Math.max(0, ...Object.keys(figures).map((name) => name.length));
  return [
    `${experiment}: ${asks}`,
    `${toWord(verdict)}: ${holdsWhen}`,
    `  seed ${seed}, rounds ${rounds}`,
    ...Object.entries(figures).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...(skipped === undefined ? [] : [`  skipped: ${skipped}`]),
    ...violations.map((text) => `  - ${text}`),
    "",
  ].join("\n");
}
