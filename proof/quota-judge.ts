import type { CaseEvidence } from "./model-lab.ts";
import { onTheWayMs } from "./provider-faults-judge.ts";

const minuteMs = 60_000;

/**
 * Of the requests to a used-up account, the times of those that its first refusal should have stopped: that left after its answer
 * was there.
 */
export function timesAfterRefusal(cases: readonly CaseEvidence[], bucket: string): number[] {
  const sent = cases
    .flatMap(({ calls, requests }) =>
      requests.map((request, at) => ({
        ...request,
        leftMs: calls[at]?.startedAtMs ?? request.atMs,
        answeredMs: calls[at]?.finishedAtMs ?? request.atMs,
      })),
    )
    .filter((request) => request.bucket === bucket && request.status !== 200);
  const refusedMs = Math.min(...sent.map(({ answeredMs }) => answeredMs));
  return sent.filter(({ leftMs }) => leftMs > refusedMs + onTheWayMs).map(({ atMs }) => atMs);
}

/** The most requests in any minute. */
export function mostInAMinute(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + minuteMs).length));
}

/** A used-up account is asked at most once in a minute after it has said so. */
export function findInsisting(cases: readonly CaseEvidence[], bucket: string): string[] {
  const most = mostInAMinute(timesAfterRefusal(cases, bucket));
  return most <= 1 ? [] : [`quota: ${bucket} was asked ${most} times in a minute after its first refusal`];
}

/** A run whose account is used up waits, and shows why. */
export function findNotWaiting(cases: readonly CaseEvidence[]): string[] {
  return cases
    .filter(({ status, waits }) => status !== "waiting" || !waits.includes("circuit"))
    .map(
      ({ runId, name, status, code, waits }) =>
        `quota: run ${runId} of ${name} is ${status} ${code ?? waits.join()}, not waiting for the circuit`,
    );
}

/** I1: a run has come to a good end. */
export function findNotSucceeded(cases: readonly CaseEvidence[], when: string): string[] {
  return cases
    .filter(({ status }) => status !== "succeeded")
    .map(({ runId, name, status, code }) => `I1: run ${runId} of ${name} is ${status} ${code ?? ""} ${when}`);
}
