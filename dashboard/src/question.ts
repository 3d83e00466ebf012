import type { QuestionView, RunDetailView } from "./api.ts";

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
    return { key, action, connection, stepPath: path, startedAt, attempts, request, reason: error.message };
  }
  return null;
}
