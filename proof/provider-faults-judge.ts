import type { CallEvidence, CaseEvidence, ModelEvidence } from "./model-lab.ts";
import { chargeOf, type ModelRequest, type Price } from "./model-record.ts";
import { allowedFailures, isFinal, price } from "./provider-faults-plan.ts";

/** A request that leaves so soon after an answer cannot know of it yet. */
export const onTheWayMs = 50;
/** Shortest time between two requests of a step. */
const gapBarMs = 250;

/** What a run of the experiment is for. */
export type Role = "mixed" | "each" | "parked";

/** A run, its part in the experiment, and what was recorded of it. */
export interface FaultCase extends CaseEvidence {
  readonly role: Role;
  /** Of `each`: the fault that it is to meet. */
  readonly kind: string | null;
}

/** I1: a run has succeeded, or failed as the faults that it met allow; where the wait is long, it waits. */
export function findWrongEnds(cases: readonly FaultCase[]): string[] {
  return cases.flatMap((one) => {
    const wrong = wrongEnd(one);
    return wrong === null ? [] : [`I1: run ${one.runId} of ${one.name} ${wrong}`];
  });
}

function wrongEnd(one: FaultCase): string | null {
  const { role, kind, status, code, waits, requests } = one;
  const faults = requests.flatMap(({ fault }) => (fault === null ? [] : [fault]));
  const found = `is ${status}${code === null ? "" : ` with ${code}`} after ${faults.join(", ") || "no fault"}`;
  if (role === "parked") {
    return status === "waiting" && waits.includes("limit") ? null : `${found}, not waiting for the limit`;
  }
  if (status === "succeeded") {
    return kind !== null && isFinal(kind) ? `${found}, though it was refused` : null;
  }
  if (status !== "failed" || code === null) return `${found}, and has come to no end`;
  const mayFail = role === "mixed" || (kind !== null && isFinal(kind));
  const isOfClass = faults.some((fault) => (allowedFailures(fault) as readonly string[]).includes(code));
  return mayFail && isOfClass ? null : found;
}

/**
 * No request is sent to a model in a time in which its provider asked not to be sent any. One that was on its way is not held
 * against it: its intent was recorded before the answer was there, or a moment later.
 */
export function findInsideWaits(cases: readonly CaseEvidence[]): string[] {
  const sent = cases.flatMap(({ calls, requests }) =>
    requests.map((request, at) => ({
      ...request,
      leftMs: calls[at]?.startedAtMs ?? request.atMs,
      answeredMs: calls[at]?.finishedAtMs ?? request.atMs,
    })),
  );
  return [...Map.groupBy(sent, ({ bucket }) => bucket).values()].flatMap((requests) => {
    const refused = requests.filter(({ waitMs }) => waitMs !== null);
    return requests.flatMap(({ bucket, caseName, atMs, leftMs }) => {
      const wait = refused.find(
        ({ answeredMs, atMs: askedMs, waitMs }) => leftMs > answeredMs + onTheWayMs && atMs < askedMs + (waitMs ?? 0),
      );
      if (wait === undefined) return [];
      const after = `${atMs - wait.atMs} ms after it was told to wait ${wait.waitMs} ms (${wait.fault})`;
      return [`waits: ${bucket} was asked for ${caseName} ${after}`];
    });
  });
}

/** The shortest time between two requests of the same step; Infinity when no step made two. */
export function shortestGapMs(cases: readonly CaseEvidence[]): number {
  return Math.min(...cases.flatMap(gapsOf).map(({ gapMs }) => gapMs));
}

/** No step asks again at once. */
export function findHotLoops(cases: readonly CaseEvidence[]): string[] {
  return cases.flatMap((one) =>
    gapsOf(one)
      .filter(({ gapMs }) => gapMs < gapBarMs)
      .map(
        ({ gapMs, before }) =>
          `loop: run ${one.runId} of ${one.name} asked again after ${gapMs} ms (${before.fault ?? "no fault"})`,
      ),
  );
}

function gapsOf({ requests }: CaseEvidence): { readonly gapMs: number; readonly before: ModelRequest }[] {
  return requests.flatMap((request, at) => {
    const before = requests[at - 1];
    return before === undefined ? [] : [{ gapMs: request.atMs - before.atMs, before }];
  });
}

/** I4: the ledger verifies, and nothing was sent that it does not have. */
export function findUnrecorded({ cases, strays, ledgerProblems }: ModelEvidence): string[] {
  return [
    ...ledgerProblems.map((problem) => `I4: the ledger does not verify: ${problem}`),
    ...strays.map(({ number, bucket }) => `I4: request ${number} to ${bucket} is of no run`),
    ...cases.flatMap(({ runId, name, calls, requests }) => {
      const intended = calls.filter(({ isIntended }) => isIntended).length;
      if (requests.length <= intended && intended === calls.length) return [];
      return [
        `I4: run ${runId} of ${name} sent ${requests.length} requests, with ${calls.length} calls and ${intended} intents`,
      ];
    }),
  ];
}

/**
 * What is recorded as the cost of a request is what its provider charges for it; where that is not known, what was set aside
 * is not less. Requests and calls of a step come one after the other, and so are compared in their order.
 */
export function findWrongCosts(cases: readonly CaseEvidence[]): string[] {
  return cases.flatMap(({ runId, name, calls, requests }) => {
    // Otherwise it is not known which is which; see findUnrecorded.
    if (calls.length !== requests.length)
      return [`costs: run ${runId} of ${name} made ${calls.length} calls and ${requests.length} requests`];
    return requests.flatMap((request, at) => {
      const call = calls[at];
      const wrong = call && wrongCost(call, request, price);
      return wrong
        ? [`costs: request ${request.number} of run ${runId} (${request.fault ?? "no fault"}) ${wrong}`]
        : [];
    });
  });
}

function wrongCost(call: CallEvidence, request: ModelRequest, at: Price): string | null {
  const charged = chargeOf(request, at);
  const { costMicroUsd, reservedMicroUsd, estimated } = call;
  if (costMicroUsd === null) {
    return (reservedMicroUsd ?? 0) >= charged ? null : `costs ${charged}, and ${reservedMicroUsd} was set aside`;
  }
  if (estimated) return null;
  return costMicroUsd === charged ? null : `costs ${charged}, and ${costMicroUsd} is recorded`;
}

/**
 * I6: no budget is exceeded, and that of a run counts at least what its calls cost; at most what was set aside for them, which stays
 * counted where the cost is not known in time.
 */
export function findBudgetFaults({ cases, accounts }: Pick<ModelEvidence, "cases" | "accounts">): string[] {
  const runOf = new Map(cases.map((one) => [`run/${one.runId}`, one]));
  return accounts.flatMap(({ account, limitMicroUsd, spentMicroUsd }) => {
    if (spentMicroUsd > limitMicroUsd)
      return [`I6: ${account} of ${limitMicroUsd} micro-USD has ${spentMicroUsd} spent`];
    const calls = runOf.get(account)?.calls ?? [];
    const [least, most] = [sum(calls, leastOf), sum(calls, mostOf)];
    if (!runOf.has(account) || (spentMicroUsd >= least && spentMicroUsd <= most)) return [];
    return [`I6: ${account} has ${spentMicroUsd} spent, and its calls come to ${least} or ${most} at most`];
  });
}

const leastOf = ({ costMicroUsd, reservedMicroUsd }: CallEvidence): number => costMicroUsd ?? reservedMicroUsd ?? 0;
const mostOf = (call: CallEvidence): number => Math.max(leastOf(call), call.reservedMicroUsd ?? 0);

function sum(calls: readonly CallEvidence[], amountOf: (call: CallEvidence) => number): number {
  return calls.reduce((total, call) => total + amountOf(call), 0);
}
