import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { FaultRule } from "../src/sandbox/index.ts";
import type { Experiment, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { begin, type Case, collectModels, untilEnded } from "./model-lab.ts";
import type { ModelRequest } from "./model-record.ts";
import { judge, type Played } from "./overspend-verdict.ts";
import { keyName, type Plan, slowMs, toPlan, variables } from "./overspend-plan.ts";
import type { ServiceProcess } from "./service-process.ts";

/** So long are calls under way, so that all are there at once. */
const sandboxLatencyMs = 1000;
const usualBudgetUsd = 1;
/** Of so many calls one is the doomed process's: what those can have cost that it has under way stays spent. */
const doomedEvery = 6;
/** Of all calls, how many it must have under way when it is killed. */
const doomedShare = 0.02;
const patienceMs = 30_000;
/** Requests of a sender at a time. */
const connections = 50;
/** Runs with a budget of their own, for each hundred calls. */
const runsPerHundred = 2;

/** Has more asked of models at once than a budget allows, while answers fail and processes die. */
export const overspend: Experiment = {
  name: "overspend",
  number: 24,
  asks: "calls that would cost three times a day's budget, all at once over two processes, with timeouts, lost answers and a kill -9",
  holdsWhen:
    "what the provider charges never exceeds the budget of the day or of a run, >= 60 % of it is used, and what is refused says BUDGET_EXCEEDED and was not sent",
  counts: "concurrent AI calls",
  usual: { rounds: 1, count: 1000 },
  brief: { rounds: 1, count: 200 },
  hasBudget: true,
  async run(play) {
    const rounds: Played[] = [];
    for (let round = 1; round <= play.rounds; round += 1) rounds.push(await playRound(play, play.seed + round - 1));
    return judge(rounds);
  },
};

/**
 * Of some calls the answer is lost, and some take too long: the provider charges for both. All among the first, so that they count as
 * one trouble: more would close the model for a while, and the others would wait in place of asking for money.
 */
const faults: readonly FaultRule[] = [
  { system: "openai", kind: "applied_then_no_answer", afterCalls: 4, times: 8 },
  { system: "openai", kind: "slow", afterCalls: 4, times: 4, params: { delayMs: slowMs } },
];

async function playRound(play: Play, seed: number): Promise<Played> {
  const brain = fileURLToPath(new URL("overspend-brain.ts", import.meta.url));
  const lab = await prepareLab({ seed, sandboxLatencyMs, brain });
  try {
    const plan = toPlan(play.count, play.budgetUsd ?? usualBudgetUsd);
    const { day, each, refused, killed } = await load(lab, plan, play.count);
    const all = [...day, ...each];
    await untilEnded(lab, idsOf(all), patienceMs);
    // Answers that came too late are recorded as well.
    await setTimeout(slowMs);
    const evidence = await collectModels(lab, all);
    play.tell(
      `${day.length} calls at once, ${each.length} runs with a budget; killed a process with ${killed} under way`,
    );
    const names = new Set(day.map(({ name }) => name));
    const isUnacknowledged = ({ caseName }: ModelRequest): boolean => refused.has(caseName);
    return {
      plan,
      killed,
      evidence: { ...evidence, strays: evidence.strays.filter((request) => !isUnacknowledged(request)) },
      unacknowledged: evidence.strays.filter(isUnacknowledged),
      ofDay: evidence.cases.filter(({ name }) => names.has(name)),
      ofRun: evidence.cases.filter(({ name }) => !names.has(name)),
    };
  } finally {
    await lab.close();
  }
}

interface Load {
  readonly day: readonly Case[];
  readonly each: readonly Case[];
  /** Names of cases that the killed process did not acknowledge. */
  readonly refused: ReadonlySet<string>;
  readonly killed: number;
}

/** Begins all runs at two processes, kills one of them when it has calls under way, and starts another in its place. */
async function load(lab: Lab, plan: Plan, count: number): Promise<Load> {
  const start = toStart(lab, plan, count);
  const survivor = await start(false);
  const doomed = await start(true);
  // The first call of a process loads what calls are made with.
  const first = [
    await begin(survivor, "of-run", { case: "of-run-first-end" }),
    await begin(doomed, "of-run", { case: "of-run-second-end" }),
  ];
  await untilEnded(lab, idsOf(first), patienceMs);
  await lab.sandbox.setFaults(faults);
  const runs = Math.max(2, Math.round((count / 100) * runsPerHundred));
  const refused = new Set<string>();
  const sending = Promise.all([
    beginAll("of-day", count, (at) => (at % doomedEvery === 0 ? [doomed, survivor] : [survivor]), refused),
    beginAll("of-run", runs, () => [survivor], refused),
  ]);
  const killed = await killInTheMiddle(lab, doomed, Math.ceil(count * doomedShare));
  await start(true);
  const [day, each] = await sending;
  return { day, each: [...first, ...each], refused, killed };
}

const idsOf = (cases: readonly Case[]): string[] => cases.map(({ runId }) => runId);

/** Gives what starts a service with the plan: the first with the database, the others beside it. */
function toStart(lab: Lab, plan: Plan, calls: number): (isWorker: boolean) => Promise<ServiceProcess> {
  const { origin, credentials } = lab.sandbox;
  const settings = {
    config: new URL("overspend.config.ts", import.meta.url).href,
    environment: { [keyName]: credentials.openaiKey },
    overrides: { concurrency: calls },
  };
  const told = {
    [variables.origin]: origin,
    [variables.price]: String(plan.price.outputUsdPerMillion),
    [variables.dayBudget]: String(plan.dayBudgetUsd),
    [variables.runBudget]: String(plan.runBudgetUsd),
  };
  return (isWorker) => lab.start({ ...settings, worker: isWorker }, { variables: told });
}

/**
 * Begins runs as fast as they are taken; each service begins its own.
 *
 * @param servicesOf where a run is sent, and where to under another name when that dies before it answers.
 * @param refused gets the names that were not acknowledged.
 */
async function beginAll(
  path: string,
  count: number,
  servicesOf: (at: number) => readonly ServiceProcess[],
  refused: Set<string>,
): Promise<Case[]> {
  const begun: Case[] = [];
  const beginOne = async (at: number): Promise<void> => {
    for (const [tries, service] of servicesOf(at).entries()) {
      const name = `${path}-${at}-try-${tries}-end`;
      const taken = await begin(service, path, { case: name }).catch(() => null);
      if (taken) return void begun.push(taken);
      refused.add(name);
    }
    throw new Error(`run ${at} of ${path} was not acknowledged`);
  };
  let next = 0;
  const send = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await beginOne(at);
  };
  await Promise.all(Array.from({ length: connections }, send));
  return begun;
}

/** Kills a process when it has calls under way. Gives how many. */
async function killInTheMiddle(lab: Lab, doomed: ServiceProcess, underWay: number): Promise<number> {
  const text = `select count(*)::integer as calls from sluice.ai_calls as call
    join sluice.runs as run on run.workspace_id = call.workspace_id and run.id = call.run_id
    where call.status = 'intent' and run.executor = $1`;
  return lab.withDatabase(async ({ query }) => {
    const countCalls = async (): Promise<number> =>
      (await query<{ calls: number }>(text, [doomed.executor]))[0]?.calls ?? 0;
    for (const deadline = Date.now() + patienceMs; (await countCalls()) < underWay && Date.now() < deadline;)
      await setTimeout(20);
    // Their requests are on their way to the provider, which takes its time.
    await setTimeout(sandboxLatencyMs / 2);
    await doomed.kill();
    return countCalls();
  });
}
