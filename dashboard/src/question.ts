import type { Json, QuestionView, RunDetailView, StepView } from "./api.ts";

/**
 * What a run asks a person; null when nothing. A run whose map failed asks for the items in doubt, one after the other: each
 * answer lets it go on, and those that have none yet come up again.
 */
export function questionOf(run: RunDetailView): QuestionView | null {
  if (run.question) return run.question;
  if (run.status !== "failed") return null;
  for (const { path, status, error, receipt } of run.steps) {
    if (status !== "failed" || error?.code !== "EFFECT_IN_DOUBT" || !receipt) continue;
    if (receipt.state !== "intent" && receipt.state !== "unknown") continue;
    const { key, action, connection, startedAt, attempts, request } = receipt;
    const known = { key, action, connection, stepPath: path, startedAt, attempts, request };
    return { kind: "effect", ...known, reason: error.message };
  }
  return null;
}

/** Tells a question from the next one of the same run. */
export const questionId = (question: QuestionView): string =>
  question.kind === "effect" ? question.key : `${question.stepPath} ${question.startedAt}`;

/** What the gateway asks a person by a step that waits, and the name of the step that it asks for; null for every other step. */
export function askedFor({
  kind,
  input,
}: StepView): { readonly what: "answer" | "budget"; readonly step: string } | null {
  const question = isObject(input) ? input["question"] : undefined;
  if (kind !== "signal" || !isObject(question)) return null;
  const { kind: what, step } = question;
  return (what === "answer" || what === "budget") && typeof step === "string" ? { what, step } : null;
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
