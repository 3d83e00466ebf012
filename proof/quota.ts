import { execFile } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { resumeCircuit } from "../src/store/index.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { begin, type Case, type CaseEvidence, collectModels, untilEnded, withWorkspace } from "./model-lab.ts";
import { findUnrecorded } from "./provider-faults-judge.ts";
import { findInsisting, findNotSucceeded, findNotWaiting, timesAfterRefusal } from "./quota-judge.ts";
import { type Account, accounts, originVariable, quotaFaults, spareAccount, spareKey } from "./quota-plan.ts";
import { sealingKey } from "./sealed-content.ts";

/** How long used-up accounts are watched. A call that tries whether one works again comes after 61 s. */
const watchedForMs = { usual: 30_000, short: 4000 };
/** From the one command until all its runs have ended. */
const resumedBarMs = 30_000;
/** Runs of each account but the first, for each of its. */
const otherShare = 0.2;

/** Uses up the accounts of providers, watches, and tops them up again. */
export const quota: Experiment = {
  name: "quota",
  number: 7,
  asks: "with two processes, the accounts of seven keys are used up, as OpenAI and Anthropic say it in three ways; one has a model behind it",
  holdsWhen:
    "after the first refusal <= 1 request per key and minute, all runs wait and show why, one command lets all end within 30 s, and with another model all end at once",
  counts: "runs of the usual refusal, and of the model with another behind it; a fifth of them for the other accounts",
  usual: { rounds: 1, count: 50 },
  brief: { rounds: 1, count: 20 },
  async run(play) {
    const config = new URL("quota.config.ts", import.meta.url).href;
    const rounds: Played[] = [];
    for (let round = 1; round <= play.rounds; round += 1) {
      const lab = await prepareLab({ seed: play.seed + round - 1, service: { config } });
      try {
        rounds.push(await playRound(lab, play));
      } finally {
        await lab.close();
      }
    }
    return toOutcome(rounds);
  },
};

interface Played {
  readonly runs: number;
  readonly waited: number;
  readonly byFallback: number;
  readonly afterRefusal: number;
  readonly resumedMs: number;
  readonly violations: readonly string[];
}

interface AccountCase extends Case {
  readonly account: Account;
}

async function playRound(lab: Lab, play: Play): Promise<Played> {
  const begun = await useUp(lab, play.count);
  await setTimeout(play.short ? watchedForMs.short : watchedForMs.usual);
  const watched = await collect(lab, begun);
  const stopped = accounts.map((account) => ({ account, cases: watched.of(account) }));
  const spare = watched.of(spareAccount);
  const resumedMs = await resumeAll(
    lab,
    begun.filter(({ account }) => account !== spareAccount),
  );
  const ended = await collect(lab, begun);
  play.tell(`${begun.length} runs; all had ended ${resumedMs} ms after the accounts were resumed`);
  return {
    runs: begun.length,
    waited: stopped.flatMap(({ cases }) => cases).filter(({ status }) => status === "waiting").length,
    byFallback: spare.filter(({ status }) => status === "succeeded").length,
    afterRefusal: Math.max(
      ...[...stopped, { account: spareAccount, cases: spare }].map(
        ({ account, cases }) => timesAfterRefusal(cases, bucketOf(account)).length,
      ),
    ),
    resumedMs,
    violations: [
      ...stopped.flatMap(({ account, cases }) => [
        ...findInsisting(cases, bucketOf(account)),
        ...findNotWaiting(cases),
      ]),
      ...findInsisting(spare, bucketOf(spareAccount)),
      ...findNotSucceeded(spare, "though there is another model"),
      ...findNotSucceeded(
        ended.all.filter(({ model }) => model !== spareAccount.name),
        "after the account was resumed",
      ),
      ...(resumedMs <= resumedBarMs
        ? []
        : [`quota: all had ended ${resumedMs} ms after the command, more than ${resumedBarMs}`]),
      ...findUnrecorded(ended.evidence),
    ],
  };
}

const bucketOf = ({ vendor, name }: Account): string => `${vendor}/sandbox-${name}`;

/** Begins the runs: of each account one, whose refusal opens the circuit, then the others at once. That with a spare model gets all at once. */
async function useUp(lab: Lab, count: number): Promise<AccountCase[]> {
  const { origin, credentials } = lab.sandbox;
  const keys = { openai: credentials.openaiKey, anthropic: credentials.anthropicKey };
  const environment = Object.fromEntries([...accounts, spareAccount].map(({ key, vendor }) => [key, keys[vendor]]));
  await lab.sandbox.setFaults(quotaFaults);
  const settings = { environment: { ...environment, [spareKey]: keys.anthropic } };
  const variables = { [originVariable]: origin };
  const services = [
    await lab.start(settings, { variables }),
    await lab.start({ ...settings, worker: true }, { variables }),
  ];
  const beginOne = async (account: Account, at: number): Promise<AccountCase> => {
    const { name } = account;
    const service = services[at % services.length] ?? { publicUrl: "" };
    return { account, ...(await begin(service, "ask", { case: `${name}-${at}-end`, model: name })) };
  };
  const first = await Promise.all(accounts.map((account) => beginOne(account, 0)));
  await untilWaiting(lab, first);
  const others = accounts.flatMap((account, place) => {
    const size = place === 0 ? count : Math.ceil(count * otherShare);
    return Array.from({ length: size - 1 }, (_item, at) => beginOne(account, at + 1));
  });
  const spare = Array.from({ length: count }, (_item, at) => beginOne(spareAccount, at));
  return [...first, ...(await Promise.all([...others, ...spare]))];
}

async function untilWaiting(lab: Lab, cases: readonly Case[]): Promise<void> {
  const text = "select 1 from sluice.steps where run_id = any($1) and wait_reason = 'circuit'";
  await lab.withDatabase(async ({ query }) => {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await setTimeout(50)) {
      if ((await query(text, [cases.map(({ runId }) => runId)])).length === cases.length) return;
    }
  });
}

type Collected = {
  readonly evidence: Awaited<ReturnType<typeof collectModels>>;
  readonly all: readonly (CaseEvidence & { readonly model: string })[];
  readonly of: (account: Account) => CaseEvidence[];
};

async function collect(lab: Lab, begun: readonly AccountCase[]): Promise<Collected> {
  const evidence = await collectModels(lab, begun);
  const models = new Map(begun.map(({ runId, account }) => [runId, account.name]));
  const all = evidence.cases.map((one) => ({ ...one, model: models.get(one.runId) ?? "" }));
  return { evidence, all, of: ({ name }) => all.filter(({ model }) => model === name) };
}

/**
 * Lifts the faults, and resumes each account: the first by the command, as an operator does, the others by what it does. Gives how
 * long it took from the end of the first command until all runs had ended.
 */
async function resumeAll(lab: Lab, begun: readonly AccountCase[]): Promise<number> {
  await lab.sandbox.setFaults([]);
  const [first, ...others] = accounts;
  const began = performance.now();
  if (first) await resumeByCommand(lab, first.key);
  await withWorkspace(lab.place, async ({ ledger }, { limits }) => {
    for (const { key } of others) await resumeCircuit({ limits, ledger }, key, "proof");
  });
  await untilEnded(
    lab,
    begun.map(({ runId }) => runId),
    resumedBarMs,
  );
  return Math.round(performance.now() - began);
}

/** @throws Error with the command's words when it does not end well. */
async function resumeByCommand(lab: Lab, key: string): Promise<void> {
  const cli = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
  const options = ["--conditions=sluice-source", cli, "models", "resume", key, "--folder", lab.folder];
  const { PATH = "" } = process.env;
  await promisify(execFile)(process.execPath, options, { cwd: lab.folder, env: { PATH, SLUICE_KEY: sealingKey } });
}

function toOutcome(rounds: readonly Played[]): Outcome {
  const violations = rounds.flatMap((played) => played.violations);
  const most = (name: Exclude<keyof Played, "violations">): number => Math.max(...rounds.map((played) => played[name]));
  return {
    holds: violations.length === 0,
    rounds: rounds.length,
    figures: {
      accounts: accounts.length + 1,
      runs: most("runs"),
      waited: most("waited"),
      byFallback: most("byFallback"),
      requestsAfterRefusal: most("afterRefusal"),
      resumedMs: most("resumedMs"),
    },
    violations,
  };
}
