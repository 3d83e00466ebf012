import type { AccountEvidence, CaseEvidence } from "./model-lab.ts";
import { chargeOf, type Price } from "./model-record.ts";

/** Whatever made requests: a case, or those of which no acknowledgement came. */
type Asking = Pick<CaseEvidence, "requests">;

/** What the provider charges for all requests, in whole micro-dollars. */
export function realCostOf(cases: readonly Asking[], price: Price): number {
  return cases.flatMap(({ requests }) => requests).reduce((sum, request) => sum + chargeOf(request, price), 0);
}

/** How much more a budget cost than it allows, by what the provider charges; 0 when it was held. */
export function overspendOf(cases: readonly Asking[], price: Price, budgetMicroUsd: number): number {
  return Math.max(0, realCostOf(cases, price) - budgetMicroUsd);
}

/** I6: what is charged for what budgets are for stays within them, and so does what they count. */
export function findOverspent(
  budgets: readonly {
    readonly name: string;
    readonly limitMicroUsd: number;
    readonly cases: readonly Asking[];
  }[],
  accounts: readonly AccountEvidence[],
  price: Price,
): string[] {
  return [
    ...budgets.flatMap(({ name, limitMicroUsd, cases }) => {
      const over = overspendOf(cases, price, limitMicroUsd);
      return over === 0 ? [] : [`I6: ${name} of ${limitMicroUsd} micro-USD was overspent by ${over}`];
    }),
    ...accounts
      .filter(({ limitMicroUsd, spentMicroUsd }) => spentMicroUsd > limitMicroUsd)
      .map(
        ({ account, limitMicroUsd, spentMicroUsd }) =>
          `I6: ${account} counts ${spentMicroUsd} of ${limitMicroUsd} micro-USD`,
      ),
  ];
}

/** With what a run may fail, and what it must then not have done. */
const failures: ReadonlySet<string | null> = new Set(["BUDGET_EXCEEDED", "MODEL_TIMEOUT", "MODEL_UNAVAILABLE"]);

/** I1: every run has succeeded or says that there was no money, or that its model did not answer. */
export function findWrongEnds(cases: readonly CaseEvidence[]): string[] {
  return cases
    .filter(({ status, code }) => status !== "succeeded" && !(status === "failed" && failures.has(code)))
    .map(({ runId, name, status, code }) => `I1: run ${runId} of ${name} is ${status} ${code ?? ""}`);
}

/** Nothing leaves for a call that was refused: all that left was let through, and so has a call in our record. */
export function findSentThoughRefused(cases: readonly CaseEvidence[]): string[] {
  return cases
    .filter(({ calls, requests }) => requests.length > calls.length)
    .map(
      ({ runId, name, calls, requests }) =>
        `run ${runId} of ${name} was let through ${calls.length} times, and sent ${requests.length} requests`,
    );
}
