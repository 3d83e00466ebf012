import type { QuestionView, RunDetailView } from "../api.ts";
import { AnswerQuestion } from "./answer-question.tsx";
import { BudgetQuestion } from "./budget-question.tsx";
import { EffectQuestion } from "./effect-question.tsx";

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
      return <AnswerQuestion runId={run.id} question={question} />;
    default:
      return <BudgetQuestion runId={run.id} question={question} />;
  }
}
