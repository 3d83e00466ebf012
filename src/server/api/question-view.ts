import { isRecord, type Json, type Receipt } from "../../core/index.ts";
import { questionOf, type RunRecord, type StepRecord } from "../../store/index.ts";
import { toErrorView } from "./record-view.ts";
import type { QuestionView } from "./schemas.ts";

/** All that a run asks a person: about an effect in doubt first, then what its waiting steps ask, in their order. */
export function toQuestionViews(
  run: RunRecord,
  steps: readonly StepRecord[],
  receipts: readonly Receipt[],
): QuestionView[] {
  const receipt = questionOf(run, receipts);
  const goesOn = run.status === "queued" || run.status === "running" || run.status === "waiting";
  return [...(receipt ? [aboutEffect(run, receipt)] : []), ...(goesOn ? steps.flatMap(ofStep) : [])];
}

function aboutEffect(run: RunRecord, receipt: Receipt): QuestionView {
  const { key, action, connection, stepPath, startedAt, attempts, request } = receipt;
  const reason = toErrorView(run.error)?.message ?? "";
  const kind = "effect";
  return { kind, key, action, connection, stepPath, startedAt: startedAt.toISOString(), attempts, request, reason };
}

/** What the gateway asks by a step that waits for a signal; a flow's own waits hold no question. */
function ofStep({ name, kind, status, path, startedAt, input }: StepRecord): QuestionView[] {
  const question: { readonly [part: string]: unknown } | null =
    isRecord(input) && isRecord(input["question"]) ? input["question"] : null;
  if (kind !== "signal" || status !== "waiting" || !question) return [];
  const place = {
    stepPath: path,
    stepName: textOf(question["step"]),
    signal: name,
    startedAt: startedAt.toISOString(),
  };
  if (question["kind"] === "answer") {
    const { schema = {}, answer = null, complaint } = question as { readonly [part: string]: Json };
    return [{ kind: "answer", ...place, schema, answer, complaint: textOf(complaint) }];
  }
  if (question["kind"] !== "budget") return [];
  return [
    {
      kind: "budget",
      ...place,
      account: textOf(question["account"]),
      limitMicroUsd: numberOf(question["limitMicroUsd"]),
      spentMicroUsd: numberOf(question["spentMicroUsd"]),
      neededMicroUsd: numberOf(question["neededMicroUsd"]),
    },
  ];
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const numberOf = (value: unknown): number => (typeof value === "number" ? Math.round(value) : 0);
