import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { AskingRunView, QuestionView } from "../api.ts";
import { formatCost, plural, shortId, toSentence } from "../format.ts";
import { questionId } from "../question.ts";
import { failuresQuery, questionsQuery } from "../queries.ts";
import { buttonClass } from "./button.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { FailureList } from "./failure-list.tsx";
import { Panel, SkeletonRows } from "./panel.tsx";
import { StatusIcon } from "./status.tsx";
import { RelativeTime } from "./time.tsx";

/** So many are shown on the overview; the rest are counted. */
const listedQuestions = 5;
const listedFailures = 5;

/** What needs a person: runs that ask a question first, then failures, of each kind together. */
export function NeedsPerson() {
  const failures = useQuery(failuresQuery);
  const questions = useQuery(questionsQuery);
  const error = failures.error ?? questions.error;
  const failed = failures.data?.filter(({ status }) => status === "failed");
  if (error)
    return <ErrorNotice error={error} retry={() => void Promise.all([failures.refetch(), questions.refetch()])} />;
  if (!failed || !questions.data) {
    return (
      <Panel title="Needs a person">
        <SkeletonRows rows={4} />
      </Panel>
    );
  }
  const { items: asking, next } = questions.data;
  if (failed.length === 0 && asking.length === 0) return <Nothing />;
  return (
    <>
      {asking.length > 0 && <Questions asking={asking} more={next !== null} />}
      {failed.length > 0 && (
        <Panel
          title="Failures to mend"
          aside={
            <Link to="/failures" className="text-accent hover:underline">
              All of them
            </Link>
          }
        >
          <FailureList groups={failed.slice(0, listedFailures)} />
        </Panel>
      )}
    </>
  );
}

function Nothing() {
  return (
    <Panel>
      <p className="flex h-10 items-center gap-2 px-4 text-ink-2">
        <StatusIcon status="succeeded" />
        Nothing needs a person: no run has failed, and none asks anything.
      </p>
    </Panel>
  );
}

interface QuestionsProps {
  readonly asking: readonly AskingRunView[];
  readonly more: boolean;
}

function Questions({ asking, more }: QuestionsProps) {
  const [all, setAll] = useState(false);
  return (
    <section
      data-testid="questions"
      aria-labelledby="questions-title"
      className="overflow-hidden rounded-lg border-2 border-doubt bg-surface"
    >
      <header className="flex min-h-10 items-center justify-between gap-3 border-b border-line bg-doubt-soft px-4 py-1">
        <h2 id="questions-title" className="font-medium">
          {more
            ? `More than ${asking.length} questions wait`
            : plural(asking.length, "question waits", "questions wait")}{" "}
          for a person
        </h2>
        {asking.length > listedQuestions && !all && (
          <button type="button" onClick={() => setAll(true)} className="text-accent hover:underline">
            Show all
          </button>
        )}
      </header>
      <ul className="divide-y divide-line">
        {asking.slice(0, all ? undefined : listedQuestions).map(({ run, question }) => (
          <Question key={`${run.id} ${questionId(question)}`} run={run} question={question} />
        ))}
      </ul>
    </section>
  );
}

/** What is asked, in a sentence. */
function sentenceOf(question: QuestionView): string {
  switch (question.kind) {
    case "effect":
      return toSentence(question.reason || "something may have happened");
    case "answer":
      return `No answer for “${question.stepName}” fitted: ${question.complaint}`;
    default:
      return `“${question.stepName}” may cost up to ${formatCost(question.neededMicroUsd)}, and its budget has ${formatCost(Math.max(0, question.limitMicroUsd - question.spentMicroUsd))} left`;
  }
}

function Question({ run, question }: AskingRunView) {
  const navigate = useNavigate();
  const to = { to: "/runs/$id", params: { id: run.id } } as const;
  return (
    <li
      data-testid="question-row"
      data-run-id={run.id}
      data-kind={question.kind}
      className="flex min-h-11 cursor-pointer items-center gap-3 px-4 py-1.5 hover:bg-hover"
      onClick={(event) => {
        const onLink = event.target instanceof Element && event.target.closest("a") !== null;
        if (!onLink) void navigate(to);
      }}
    >
      <StatusIcon status={question.kind === "effect" ? "in_doubt" : "waiting"} />
      <div className="min-w-0 flex-1">
        <p className="line-clamp-2 break-words">{sentenceOf(question)}</p>
        <p className="truncate text-xs text-ink-2">
          {run.flow}, run <span className="font-mono">{shortId(run.id)}</span>,{" "}
          {question.kind === "effect" ? "stopped" : "asked"}{" "}
          <RelativeTime at={question.kind === "effect" ? (run.finishedAt ?? question.startedAt) : question.startedAt} />
        </p>
      </div>
      <Link {...to} className={buttonClass("primary")}>
        {question.kind === "budget" ? "Decide" : "Answer"}
      </Link>
    </li>
  );
}
