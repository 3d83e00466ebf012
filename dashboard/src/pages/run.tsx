import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { toProblem, type RunDetailView } from "../api.ts";
import { buttonClass } from "../components/button.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { JsonView } from "../components/json-view.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { QuestionCard } from "../components/question-card.tsx";
import { RunActions } from "../components/run-actions.tsx";
import { RunErrorNotice } from "../components/run-error-notice.tsx";
import { RunEvent } from "../components/run-event.tsx";
import { RunBadges, RunFacts, RunName } from "../components/run-header.tsx";
import { StatusIcon } from "../components/status.tsx";
import { useRunClock } from "../components/time.tsx";
import { WaitNotice } from "../components/wait-notice.tsx";
import { Waterfall } from "../components/waterfall.tsx";
import { questionId, questionOf } from "../question.ts";
import { runQuery } from "../queries.ts";
import { runSentence, statusWords } from "../words.ts";

const route = getRouteApi("/shell/runs/$id");

export function RunPage() {
  const { id } = route.useParams();
  const { data: run, error, refetch } = useQuery(runQuery(id));
  if (run) return <Run key={run.id} run={run} />;
  return (
    <Page title="Run">
      {error && toProblem(error).status !== 404 && <ErrorNotice error={error} retry={() => void refetch()} />}
      <Panel>
        {error ? (
          <EmptyState title={`Run ${id} is not here.`}>
            <p className="mb-3">It may have been removed by the retention rules, or belong to another installation.</p>
            <Link to="/runs" className={buttonClass()}>
              Show all runs
            </Link>
          </EmptyState>
        ) : (
          <SkeletonRows rows={8} />
        )}
      </Panel>
    </Page>
  );
}

function Run({ run }: { readonly run: RunDetailView }) {
  const question = questionOf(run);
  return (
    <Page
      name={`${statusWords[run.status]}, ${run.flow}`}
      title={
        <>
          <Standing run={run} />
          <RunBadges run={run} />
        </>
      }
      lead={<RunName run={run} />}
      actions={<RunActions run={run} />}
    >
      {question && <QuestionCard key={questionId(question)} run={run} question={question} />}
      {run.error && run.status !== "succeeded" && !run.question && <RunErrorNotice error={run.error} />}
      {run.status === "waiting" && <WaitNotice run={run} />}
      <RunFacts run={run} />
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_340px]">
        <Waterfall run={run} />
        <div className="grid gap-4">
          <RunEvent event={run.event} />
          <Output run={run} />
        </div>
      </div>
    </Page>
  );
}

function Standing({ run }: { readonly run: RunDetailView }) {
  const now = useRunClock(run.finishedAt);
  return (
    <span
      data-testid="run-status"
      data-status={run.status}
      aria-live="polite"
      className="inline-flex items-center gap-2.5"
    >
      <StatusIcon status={run.status} size={18} />
      {runSentence(run, now)}
    </span>
  );
}

function Output({ run }: { readonly run: RunDetailView }) {
  if (run.output === null) return null;
  return (
    <Panel title="What came out">
      <div className="px-4 py-3">
        <JsonView value={run.output} label="the run’s output" />
      </div>
    </Panel>
  );
}
