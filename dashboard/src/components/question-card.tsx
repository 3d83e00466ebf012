import type { QuestionView, RunDetailView } from "../api.ts";
import { lazyPart } from "./lazy-part.tsx";
import { SkeletonRows } from "./panel.tsx";

const meanwhile = <SkeletonRows rows={6} />;
const EffectQuestion = lazyPart(async () => (await import("./effect-question.tsx")).EffectQuestion, meanwhile);
const AnswerQuestion = lazyPart(async () => (await import("./answer-question.tsx")).AnswerQuestion, meanwhile);
const BudgetQuestion = lazyPart(async () => (await import("./budget-question.tsx")).BudgetQuestion, meanwhile);

interface QuestionCardProps {
  readonly run: RunDetailView;
  readonly question: QuestionView;
}

/** What a run asks a person, with all that is known of it and the way to answer. */
export function QuestionCard({ run, question }: QuestionCardProps) {
  switch (question.kind) {
    case "effect":
      return <EffectQuestion run={run} question={question} />;
    case "answer":
      return <AnswerQuestion run={run} question={question} />;
    default:
      return <BudgetQuestion runId={run.id} question={question} />;
  }
}
