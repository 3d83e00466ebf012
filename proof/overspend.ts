import { setTimeout } from "node:timers/promises";
import type { FaultRule } from "../src/sandbox/index.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { begin, type Case, type CaseEvidence, collectModels, type ModelEvidence, untilEnded } from "./model-lab.ts";
import { findOverspent, findSentThoughRefused, findWrongEnds, overspendOf, realCostOf } from "./overspend-judge.ts";
import { callsOfRun, keyName, type Plan, slowMs, toPlan, variables } from "./overspend-plan.ts";
import { findUnrecorded } from "./provider-faults-judge.ts";
import type { ServiceProcess } from "./service-process.ts";

/** So long are calls under way, so that all are there at once. */
const sandboxLatencyMs = 1000;
/** Share of a budget of a day that must have been spent: what is refused for nothing is no good either. */
const usedBar = 0.6;
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
  number: 23,
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

interface Played {
  readonly plan: Plan;
  readonly evidence: ModelEvidence;
  readonly ofDay: readonly CaseEvidence[];
  readonly ofRun: readonly CaseEvidence[];
  /** Calls that the killed process had under way. */
  readonly killed: number;
}

async function playRound(play: Play, seed: number): Promise<Played> {
  const brain = new URL("overspend-brain.ts", import.meta.url).pathname;
  const lab = await prepareLab({ seed, sandboxLatencyMs, brain });
  try {
    const plan = toPlan(play.count, play.budgetUsd ?? usualBudgetUsd);
    const start = toStart(lab, plan, play.count);
    const survivor = await start(false);
    const doomed = await start(true);
    const runs = Math.max(2, Math.round((play.count / 100) * runsPerHundred));
    // The first call of a process loads what calls are made with.
    const first = [
      await begin(survivor, "of-run", { case: "first-end" }),
      await begin(doomed, "of-run", { case: "second-end" }),
    ];
    await untilEnded(
      lab,
      first.map(({ runId }) => runId),
      patienceMs,
    );
    await lab.sandbox.setFaults(faults);
    const sending = Promise.all([
      beginAll((at) => (at % doomedEvery === 0 ? doomed : survivor), survivor, "of-day", play.count),
      beginAll(() => survivor, survivor, "of-run", runs),
    ]);
    const killed = await killInTheMiddle(lab, doomed, Math.ceil(play.count * doomedShare));
    await start(true);
    const [day, ...each] = [...(await sending), first];
    await untilEnded(
      lab,
      [day, ...each].flat().map(({ runId }) => runId),
      patienceMs,
    );
    // Answers that came too late are recorded as well.
    await setTimeout(slowMs);
    const evidence = await collectModels(lab, [day, ...each].flat());
    const names = new Set(day.map(({ name }) => name));
    play.tell(
      `${play.count} calls at once and ${runs} runs of ${callsOfRun}; killed a process with ${killed} under way`,
    );
    return {
      plan,
      evidence,
      killed,
      ofDay: evidence.cases.filter(({ name }) => names.has(name)),
      ofRun: evidence.cases.filter(({ name }) => !names.has(name)),
    };
  } finally {
    await lab.close();
  }
}

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

/** Begins runs as fast as they are taken; each service begins its own. */
async function beginAll(
  serviceOf: (at: number) => ServiceProcess,
  survivor: ServiceProcess,
  path: string,
  count: number,
): Promise<Case[]> {
  const begun: Case[] = [];
  let next = 0;
  const send = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      // The doomed one may die before it answers: what was not acknowledged is sent to the other, as a case of its own.
      const taken = await begin(serviceOf(at), path, { case: `${path}-${at}-end` }).catch(() => null);
      begun.push(taken ?? (await begin(survivor, path, { case: `${path}-${at}-again` })));
    }
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

function judge(rounds: readonly Played[]): Outcome {
  const days = rounds.map(({ plan, evidence, ofDay }) => {
    const budgetMicroUsd = plan.dayBudgetUsd * 1_000_000 * daysOf(evidence);
    const costMicroUsd = realCostOf(ofDay, plan.price);
    return { budgetMicroUsd, costMicroUsd, over: overspendOf(ofDay, plan.price, budgetMicroUsd) };
  });
  const refused = rounds.flatMap(({ ofDay }) => ofDay).filter(({ code }) => code === "BUDGET_EXCEEDED");
  const violations = rounds.flatMap(violationsOf);
  const usedShare = Math.min(...days.map(({ costMicroUsd, budgetMicroUsd }) => costMicroUsd / budgetMicroUsd));
  return {
    holds: violations.length === 0,
    rounds: rounds.length,
    figures: {
      calls: rounds.flatMap(({ ofDay }) => ofDay).length,
      budgetMicroUsd: Math.max(...days.map(({ budgetMicroUsd }) => budgetMicroUsd)),
      uncheckedMicroUsd: Math.max(...rounds.map(uncheckedOf)),
      costMicroUsd: Math.max(...days.map(({ costMicroUsd }) => costMicroUsd)),
      overspentMicroUsd: Math.max(...days.map(({ over }) => over)),
      usedShare: Math.round(usedShare * 100) / 100,
      refused: refused.length,
      sentThoughRefused: rounds.flatMap(({ ofDay }) => findSentThoughRefused(ofDay)).length,
      killedUnderWay: Math.min(...rounds.map(({ killed }) => killed)),
      runsWithBudget: rounds.flatMap(({ ofRun }) => ofRun).length,
      runsOverspent: rounds.flatMap(({ ofRun, plan }) =>
        ofRun.filter((one) => overspendOf([one], plan.price, plan.runBudgetUsd * 1_000_000) > 0),
      ).length,
    },
    violations,
  };
}

/** What all calls would have cost, by what those cost that were sent. */
function uncheckedOf({ ofDay, plan }: Played): number {
  const sent = ofDay.flatMap(({ requests }) => requests).length;
  return Math.round((realCostOf(ofDay, plan.price) / sent) * ofDay.length);
}

/** Over midnight there are two budgets of a day. */
function daysOf({ accounts }: ModelEvidence): number {
  return accounts.filter(({ account }) => account.startsWith("flow/of-day/")).length;
}

function violationsOf(played: Played): string[] {
  const { plan, evidence, ofDay, ofRun, killed } = played;
  const { price } = plan;
  const dayMicroUsd = Math.round(plan.dayBudgetUsd * 1_000_000) * daysOf(evidence);
  const runMicroUsd = Math.round(plan.runBudgetUsd * 1_000_000);
  const used = realCostOf(ofDay, price) / dayMicroUsd;
  const isBinding = uncheckedOf(played) > 2 * dayMicroUsd && ofDay.some(({ code }) => code === "BUDGET_EXCEEDED");
  const budgets = [
    { name: "the budget of the day", limitMicroUsd: dayMicroUsd, cases: ofDay },
    ...ofRun.map((one) => ({ name: `the budget of run ${one.runId}`, limitMicroUsd: runMicroUsd, cases: [one] })),
  ];
  return [
    ...findOverspent(budgets, evidence.accounts, price),
    ...findWrongEnds(evidence.cases),
    ...findSentThoughRefused(evidence.cases),
    ...findUnrecorded(evidence),
    ...(used >= usedBar
      ? []
      : [`only ${Math.round(used * 100)} % of the budget was used, less than ${usedBar * 100} %`]),
    // Otherwise nothing was put to the test.
    ...(isBinding ? [] : ["the calls would not have cost twice the budget"]),
    ...(killed > 0 ? [] : ["no call was under way when the process was killed"]),
    ...ofRun
      .filter(({ calls }) => calls.length === 0 || calls.length >= callsOfRun + 3)
      .map(({ runId, calls }) => `run ${runId} with a budget of its own made ${calls.length} calls`),
  ];
}
