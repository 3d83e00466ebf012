import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { RunView } from "../api.ts";
import { plural, shortId, toSentence } from "../format.ts";
import { failuresQuery, runsQuery } from "../queries.ts";
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
  const inDoubt = useInfiniteQuery(runsQuery({ status: "in_doubt" }));
  const error = failures.error ?? inDoubt.error;
  const failed = failures.data?.filter(({ status }) => status === "failed");
  const asking = inDoubt.data?.pages[0]?.items;
  if (error)
    return <ErrorNotice error={error} retry={() => void Promise.all([failures.refetch(), inDoubt.refetch()])} />;
  if (!failed || !asking) {
    return (
      <Panel title="Needs a person">
        <SkeletonRows rows={4} />
      </Panel>
    );
  }
  if (failed.length === 0 && asking.length === 0) return <Nothing />;
  return (
    <>
      {asking.length > 0 && <Questions runs={asking} more={inDoubt.hasNextPage} />}
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
        Nothing needs a person: no run has failed or is in doubt.
      </p>
    </Panel>
  );
}

function Questions({ runs, more }: { readonly runs: readonly RunView[]; readonly more: boolean }) {
  return (
    <section
      data-testid="questions"
      aria-labelledby="questions-title"
      className="overflow-hidden rounded-lg border-2 border-doubt bg-surface"
    >
      <header className="flex min-h-10 items-center justify-between gap-3 border-b border-line bg-doubt-soft px-4 py-1">
        <h2 id="questions-title" className="font-medium">
          {more ? `More than ${runs.length} runs ask` : plural(runs.length, "run asks", "runs ask")} whether something
          happened
        </h2>
        {runs.length > listedQuestions && (
          <Link to="/runs" search={{ status: "in_doubt" }} className="text-accent hover:underline">
            All of them
          </Link>
        )}
      </header>
      <ul className="divide-y divide-line">
        {runs.slice(0, listedQuestions).map((run) => (
          <Question key={run.id} run={run} />
        ))}
      </ul>
    </section>
  );
}

function Question({ run }: { readonly run: RunView }) {
  const navigate = useNavigate();
  const to = { to: "/runs/$id", params: { id: run.id } } as const;
  return (
    <li
      data-testid="question-row"
      data-run-id={run.id}
      className="flex min-h-11 cursor-pointer items-center gap-3 px-4 py-1.5 hover:bg-hover"
      onClick={(event) => {
        const onLink = event.target instanceof Element && event.target.closest("a") !== null;
        if (!onLink) void navigate(to);
      }}
    >
      <StatusIcon status="in_doubt" />
      <div className="min-w-0 flex-1">
        <p className="line-clamp-2 break-words">{toSentence(run.error?.message ?? "Something may have happened")}</p>
        <p className="truncate text-xs text-ink-2">
          {run.flow}, run <span className="font-mono">{shortId(run.id)}</span>
          {run.finishedAt && (
            <>
              , stopped <RelativeTime at={run.finishedAt} />
            </>
          )}
        </p>
      </div>
      <Link {...to} className={buttonClass("primary")}>
        Answer
      </Link>
    </li>
  );
}
