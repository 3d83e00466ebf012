import type { Outcome } from "./experiment.ts";
import type { CaseEvidence, ModelEvidence } from "./model-lab.ts";
import type { ModelRequest } from "./model-record.ts";
import { findOverspent, findSentThoughRefused, findWrongEnds, overspendOf, realCostOf } from "./overspend-judge.ts";
import { callsOfRun, type Plan } from "./overspend-plan.ts";
import { findUnrecorded } from "./provider-faults-judge.ts";

/** Share of a budget of a day that must have been spent: what is refused for nothing is no good either. */
const usedBar = 0.6;

/** What came of a round. */
export interface Played {
  readonly plan: Plan;
  readonly evidence: ModelEvidence;
  readonly ofDay: readonly CaseEvidence[];
  readonly ofRun: readonly CaseEvidence[];
  /** Requests of runs that the killed process had taken and not acknowledged: their cost counts as well. */
  readonly unacknowledged: readonly ModelRequest[];
  /** Calls that the killed process had under way. */
  readonly killed: number;
}

/** Puts the rounds together. */
export function judge(rounds: readonly Played[]): Outcome {
  const violations = rounds.flatMap(violationsOf);
  const days = rounds.map(dayOf);
  const ofDay = rounds.flatMap((round) => round.ofDay);
  const most = (name: keyof Day): number => Math.max(...days.map((day) => day[name]));
  return {
    holds: violations.length === 0,
    rounds: rounds.length,
    figures: {
      calls: ofDay.length,
      budgetMicroUsd: most("budgetMicroUsd"),
      uncheckedMicroUsd: most("uncheckedMicroUsd"),
      costMicroUsd: most("costMicroUsd"),
      overspentMicroUsd: Math.max(0, ...days.map(({ costMicroUsd, budgetMicroUsd }) => costMicroUsd - budgetMicroUsd)),
      usedShare: Math.floor(Math.min(...days.map(usedShareOf)) * 100) / 100,
      refused: ofDay.filter(isRefused).length,
      sentThoughRefused: findSentThoughRefused(rounds.flatMap(({ evidence }) => evidence.cases)).length,
      killedUnderWay: Math.min(...rounds.map(({ killed }) => killed)),
      runsWithBudget: rounds.flatMap(({ ofRun }) => ofRun).length,
      runsOverspent: rounds.flatMap(({ ofRun, plan }) =>
        ofRun.filter((one) => overspendOf([one], plan.price, runBudgetOf(plan)) > 0),
      ).length,
    },
    violations,
  };
}

/** What came of the budget of a day, in whole micro-dollars. */
interface Day {
  readonly budgetMicroUsd: number;
  readonly costMicroUsd: number;
  /** What all calls would have cost, by what those cost that were sent. */
  readonly uncheckedMicroUsd: number;
}

function dayOf({ plan, evidence, ofDay, unacknowledged }: Played): Day {
  const sent = [...ofDay, { requests: unacknowledged }];
  const costMicroUsd = realCostOf(sent, plan.price);
  const requests = sent.flatMap((one) => one.requests).length;
  // Over midnight there are two budgets of a day.
  const days = evidence.accounts.filter(({ account }) => account.startsWith("flow/of-day/")).length;
  return {
    budgetMicroUsd: Math.round(plan.dayBudgetUsd * 1_000_000) * days,
    costMicroUsd,
    uncheckedMicroUsd: Math.round((costMicroUsd / requests) * ofDay.length),
  };
}

const usedShareOf = ({ costMicroUsd, budgetMicroUsd }: Day): number => costMicroUsd / budgetMicroUsd;
const isRefused = ({ code }: CaseEvidence): boolean => code === "BUDGET_EXCEEDED";
const runBudgetOf = ({ runBudgetUsd }: Plan): number => Math.round(runBudgetUsd * 1_000_000);

function violationsOf(played: Played): string[] {
  const { plan, evidence, ofDay, ofRun, unacknowledged, killed } = played;
  const day = dayOf(played);
  const budgets = [
    {
      name: "the budget of the day",
      limitMicroUsd: day.budgetMicroUsd,
      cases: [...ofDay, { requests: unacknowledged }],
    },
    ...ofRun.map((one) => ({ name: `the budget of run ${one.runId}`, limitMicroUsd: runBudgetOf(plan), cases: [one] })),
  ];
  const usedPercent = Math.floor(usedShareOf(day) * 100);
  const isBinding = day.uncheckedMicroUsd > 2 * day.budgetMicroUsd && ofDay.some(isRefused);
  return [
    ...findOverspent(budgets, evidence.accounts, plan.price),
    ...findWrongEnds(evidence.cases),
    ...findSentThoughRefused(evidence.cases),
    ...findUnrecorded(evidence),
    ...(usedPercent >= usedBar * 100
      ? []
      : [`only ${usedPercent} % of the budget was used, less than ${usedBar * 100} %`]),
    // Otherwise nothing was put to the test.
    ...(isBinding ? [] : ["the calls would not have cost twice the budget"]),
    ...(killed > 0 ? [] : ["no call was under way when the process was killed"]),
    ...ofRun
      .filter(({ requests }) => requests.length === 0 || requests.length >= callsOfRun)
      .map(
        ({ runId, requests }) =>
          `run ${runId} with a budget of its own sent ${requests.length} of ${callsOfRun} requests`,
      ),
  ];
}
