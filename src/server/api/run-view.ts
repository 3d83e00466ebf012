import type { AiCallRecord, Receipt } from "../../core/index.ts";
import type { EventRecord, RunRecord, StepRecord } from "../../store/index.ts";
import { toErrorView, toTime } from "./record-view.ts";
import { toQuestionViews } from "./question-view.ts";
import { toMigrationPreview, toResumePreview } from "./resume-preview.ts";
import {
  priorities,
  type AiCallView,
  type ReceiptView,
  type RunDetailView,
  type RunView,
  type StepView,
} from "./schemas.ts";

/** Everything that is known about one run. */
export interface RunParts {
  readonly run: RunRecord;
  readonly event: EventRecord;
  readonly steps: readonly StepRecord[];
  readonly aiCalls: readonly AiCallRecord[];
  readonly receipts: readonly Receipt[];
  readonly subflows: readonly RunRecord[];
  /** Digest of the flow's present code; null when it is gone. */
  readonly version: string | null;
  /** Names of those who ruled on effects, by id. */
  readonly names: ReadonlyMap<string, string>;
}

export function toRunView(run: RunRecord): RunView {
  return {
    id: run.id,
    flow: run.flow,
    flowVersion: run.flowVersion,
    status: run.status,
    queuedAt: run.queuedAt.toISOString(),
    startedAt: toTime(run.startedAt),
    finishedAt: toTime(run.finishedAt),
    durationMs: run.finishedAt && run.finishedAt.getTime() - run.queuedAt.getTime(),
    output: run.output,
    error: toErrorView(run.error),
    failedStep: run.failedStep,
    fingerprint: run.fingerprint,
    priority: priorities[run.priority] ?? "standard",
    parent:
      run.parentRunId === null || run.parentPath === null ? null : { runId: run.parentRunId, path: run.parentPath },
    wakeAt: toTime(run.wakeAt),
    parked: run.status === "waiting" && run.executor === null,
    recoveries: run.recoveries,
    resumes: run.resumes,
    sandbox: run.sandbox,
    sample: run.sample,
    duplicates: run.duplicates,
    simulated: run.simulated,
  };
}

export function toRunDetailView(parts: RunParts): RunDetailView {
  const { run, event, steps, aiCalls, receipts, subflows, version } = parts;
  return {
    ...toRunView(run),
    event: {
      ...event,
      lastDuplicateAt: toTime(event.lastDuplicateAt),
      receivedAt: event.receivedAt.toISOString(),
    },
    steps: steps.map((step) => toStepView(step, parts)),
    resume: toResumePreview(run, steps, receipts),
    migration: toMigrationPreview(run, receipts, version),
    question: toQuestionViews(run, steps, receipts)[0] ?? null,
    subflows: subflows.map(({ id, flow, status, parentPath }) => ({ id, flow, status, path: parentPath ?? "" })),
    totals: {
      inputTokens: sum(aiCalls.map((call) => call.inputTokens)),
      outputTokens: sum(aiCalls.map((call) => call.outputTokens)),
      costMicroUsd: sum(aiCalls.map((call) => call.costMicroUsd)),
      unpricedCalls: aiCalls.filter((call) => call.costMicroUsd === null).length,
    },
  };
}

function toStepView(step: StepRecord, { aiCalls, receipts, names }: RunParts): StepView {
  // After a migration there are several: the last one is that of the step as it is now.
  const receipt = receipts.findLast((one) => one.stepPath === step.path);
  return {
    path: step.path,
    name: step.name,
    kind: step.kind,
    status: step.status,
    attempts: step.attempts.map((attempt) => ({ ...attempt, error: toErrorView(attempt.error) })),
    wakeAt: toTime(step.wakeAt),
    waitReason: step.waitReason,
    input: step.input,
    output: step.output,
    error: toErrorView(step.error),
    startedAt: step.startedAt.toISOString(),
    finishedAt: toTime(step.finishedAt),
    durationMs: step.finishedAt && step.finishedAt.getTime() - step.startedAt.getTime(),
    aiCalls: aiCalls.filter((call) => call.stepPath === step.path).map(toAiCallView),
    receipt: receipt ? toReceiptView(receipt, names) : null,
  };
}

function toAiCallView(call: AiCallRecord): AiCallView {
  return {
    id: call.id,
    stepPath: call.stepPath,
    attempt: call.attempt,
    modelName: call.modelName,
    provider: call.provider,
    model: call.model,
    region: call.region,
    lane: call.lane,
    simulated: call.simulated,
    sentFields: call.sentFields.map(({ name, sources, masked }) => ({
      name,
      sources: [...sources],
      masked: [...masked],
    })),
    availableFields: call.availableFields,
    masked: call.masked,
    request: call.request,
    requestDigest: call.requestDigest,
    response: call.response,
    status: call.status,
    rung: call.rung,
    inputTokens: call.inputTokens,
    outputTokens: call.outputTokens,
    costMicroUsd: call.costMicroUsd,
    estimated: call.estimated,
    reservedMicroUsd: call.reservedMicroUsd,
    waitedMs: call.waitedMs,
    promptVersion: call.promptVersion,
    error: toErrorView(call.error),
    startedAt: call.startedAt.toISOString(),
    finishedAt: toTime(call.finishedAt),
  };
}

function toReceiptView(receipt: Receipt, names: RunParts["names"]): ReceiptView {
  const { ruling } = receipt;
  return {
    key: receipt.key,
    stepPath: receipt.stepPath,
    connection: receipt.connection,
    action: receipt.action,
    effect: receipt.effect,
    state: receipt.state,
    requestDigest: receipt.requestDigest,
    request: receipt.request,
    response: receipt.response,
    attempts: receipt.attempts,
    ruling: ruling && { ...ruling, byName: names.get(ruling.by ?? "") ?? null },
    startedAt: receipt.startedAt.toISOString(),
    finishedAt: toTime(receipt.finishedAt),
  };
}

function sum(numbers: readonly (number | null)[]): number {
  return numbers.reduce<number>((total, one) => total + (one ?? 0), 0);
}
