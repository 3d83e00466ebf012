import type { FailureGroup, GroupPreview, ReceiptSummary } from "../../store/index.ts";
import { toEffectInPreview } from "./resume-preview.ts";
import { toErrorView, toTime } from "./record-view.ts";
import type { FailureDetailView, FailureGroupView, GroupResumePreview } from "./schemas.ts";

const mostRuns = 50;
const mostExamples = 20;

export function toFailureGroupView({ error, firstAt, lastAt, ...group }: FailureGroup): FailureGroupView {
  const { code, message } = toErrorView(error) ?? { code: "INTERNAL", message: "no error is recorded" };
  return { ...group, code, message, firstAt: firstAt.toISOString(), lastAt: lastAt.toISOString() };
}

export function toFailureDetailView({ group, runs, receipts }: GroupPreview): FailureDetailView {
  return {
    ...toFailureGroupView(group),
    runs: runs.slice(0, mostRuns).map(({ id, status, finishedAt, failedStep }) => ({
      id,
      status,
      finishedAt: toTime(finishedAt),
      failedStep,
    })),
    resume: toGroupResumePreview(runs.length, receipts),
  };
}

function toGroupResumePreview(runs: number, receipts: readonly ReceiptSummary[]): GroupResumePreview {
  const effects = receipts.map((receipt) => ({ runId: receipt.runId, ...toEffectInPreview(receipt) }));
  const count = (holds: (effect: (typeof effects)[number]) => boolean): number => effects.filter(holds).length;
  return {
    runs,
    effects: {
      done: count(({ state }) => state === "done"),
      notDone: count(({ state }) => state === "not_done"),
      unknown: count(({ state }) => state === "intent" || state === "unknown"),
      wouldRepeat: count(({ wouldRepeat }) => wouldRepeat),
    },
    examples: effects.toSorted((a, b) => Number(b.wouldRepeat) - Number(a.wouldRepeat)).slice(0, mostExamples),
  };
}
