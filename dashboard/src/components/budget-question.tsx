import { formatCost } from "../format.ts";
import type { BudgetQuestionView } from "../api.ts";
import { accountOwner, accountPeriod, periodWords } from "../gateway-words.ts";
import { useMay } from "../queries.ts";
import { Button } from "./button.tsx";
import { Facts } from "./facts.tsx";
import { Gauge } from "./gauge.tsx";
import { AnswerOutcome, QuestionFrame, useAnswer } from "./question-frame.tsx";

interface BudgetQuestionProps {
  readonly runId: string;
  readonly question: BudgetQuestionView;
}

/** Asks a person whether a call may cost more than a budget has left. */
export function BudgetQuestion({ runId, question }: BudgetQuestionProps) {
  return (
    <QuestionFrame
      title={`May “${question.stepName}” spend more than its budget?`}
      since={question.startedAt}
      why="The budget has no room for the most that the call can cost."
      known={<Sums question={question} />}
    >
      <Decision runId={runId} question={question} />
    </QuestionFrame>
  );
}

function Sums({
  question: { account, limitMicroUsd, spentMicroUsd, neededMicroUsd },
}: {
  readonly question: BudgetQuestionView;
}) {
  const owner = accountOwner(account);
  const period = accountPeriod(account);
  return (
    <>
      <Gauge
        label={
          <>
            {account.startsWith("run/") ? (
              "This run"
            ) : (
              <>
                {owner.kind} <span className="font-medium text-ink">{owner.name}</span>
              </>
            )}
            {period !== null && `, ${periodWords(period)}`}
          </>
        }
        value={`${formatCost(spentMicroUsd)} of ${formatCost(limitMicroUsd)}`}
        share={limitMicroUsd <= 0 ? 1 : spentMicroUsd / limitMicroUsd}
        title={account}
      />
      <Facts
        facts={[
          { name: "Budget", value: formatCost(limitMicroUsd) },
          { name: "Spent or set aside", value: formatCost(spentMicroUsd) },
          { name: "Left", value: formatCost(Math.max(0, limitMicroUsd - spentMicroUsd)) },
          { name: "This call, at most", value: formatCost(neededMicroUsd) },
        ]}
      />
    </>
  );
}

function Decision({ runId, question }: BudgetQuestionProps) {
  const may = useMay("act");
  const answer = useAnswer(runId, question.signal);
  return (
    <div className="space-y-3">
      <p>
        <strong className="font-medium">Allowed</strong>, the limit is raised by {formatCost(question.neededMicroUsd)},
        the most that this call can cost, and the call is sent. <strong className="font-medium">Refused</strong>,
        nothing is sent and the step fails with <code className="text-xs">BUDGET_EXCEEDED</code>.
      </p>
      <AnswerOutcome answer={answer} />
      <div className="flex flex-wrap items-center gap-2">
        <Button
          look="primary"
          data-testid="allow-budget"
          busy={answer.isPending}
          disabled={!may}
          onClick={() => answer.mutate({ allow: true })}
        >
          Allow this call
        </Button>
        <Button
          look="danger"
          data-testid="refuse-budget"
          busy={answer.isPending}
          disabled={!may}
          onClick={() => answer.mutate({ allow: false })}
        >
          Refuse it
        </Button>
        {!may && <span className="text-xs text-ink-2">Your role may look, but not answer.</span>}
      </div>
    </div>
  );
}
