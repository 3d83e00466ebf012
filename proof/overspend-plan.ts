import type { Price } from "./model-record.ts";

/** What the services' processes are told of the experiment, as variables. */
export const variables = {
  origin: "PROOF_SANDBOX_ORIGIN",
  /** US dollars for a million tokens of output; input costs a tenth. */
  price: "PROOF_OUTPUT_USD_PER_MILLION",
  dayBudget: "PROOF_DAY_BUDGET_USD",
  runBudget: "PROOF_RUN_BUDGET_USD",
} as const;

/** Names of the key of the only model. */
export const keyName = "OVERSPEND_KEY";
export const modelId = "sandbox-overspend";

/** No answer is longer; every second one takes it all, the others as much as is drawn from here on. */
export const maxOutputTokens = 400;
export const leastOutputTokens = 40;
/** What a call uses on average, with its input at a tenth of the price. */
const usualTokens = 320;
/** The most that it could: its input counts a token for each byte. */
const worstTokens = 445;

/** A request is given up after this time. */
export const timeoutMs = 3000;
/** Takes longer than that. */
export const slowMs = 4000;

/** How many times the budget all calls would cost if nobody held it. */
const timesBudget = 3;
/** Calls that a run of the second flow makes, and how many of its most costly ones its budget would be for. */
export const callsOfRun = 12;
const callsOfRunBudget = 5;

export interface Plan {
  readonly price: Price;
  readonly dayBudgetUsd: number;
  readonly runBudgetUsd: number;
}

/** Prices and budgets for so many calls. */
export function toPlan(calls: number, budgetUsd: number): Plan {
  const outputUsdPerMillion = Number(((timesBudget * budgetUsd * 1_000_000) / calls / usualTokens).toPrecision(4));
  return {
    price: toPrice(outputUsdPerMillion),
    dayBudgetUsd: budgetUsd,
    runBudgetUsd: (callsOfRunBudget * worstTokens * outputUsdPerMillion) / 1_000_000,
  };
}

export function toPrice(outputUsdPerMillion: number): Price {
  return { inputUsdPerMillion: outputUsdPerMillion / 10, outputUsdPerMillion };
}
