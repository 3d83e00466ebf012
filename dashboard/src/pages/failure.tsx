import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { FastForward, RotateCcw } from "lucide-react";
import { useState } from "react";
import { toProblem, type FailureDetailView, type ResumedView } from "../api.ts";
import { Button, buttonClass } from "../components/button.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Facts } from "../components/facts.tsx";
import { FailedRuns } from "../components/failed-runs.tsx";
import { GroupResumeDialog } from "../components/group-resume-dialog.tsx";
import { MigrateDialog } from "../components/migrate-dialog.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { StatusIcon } from "../components/status.tsx";
import { RelativeTime } from "../components/time.tsx";
import { formatCount, plural, toSentence } from "../format.ts";
import { failureQuery, useMay } from "../queries.ts";

const route = getRouteApi("/shell/failures/$fingerprint");

export function FailurePage() {
  const { fingerprint } = route.useParams();
  return <FailureOf key={fingerprint} fingerprint={fingerprint} />;
}

/** What was resumed is told here: the group may be gone with its last run. */
function FailureOf({ fingerprint }: { readonly fingerprint: string }) {
  const { data: group, error, refetch } = useQuery(failureQuery(fingerprint));
  const [resumed, setResumed] = useState<ResumedView | null>(null);
  const gone = error !== null && toProblem(error).status === 404;
  if (group && !gone) return <Failure group={group} resumed={resumed} onResumed={setResumed} />;
  return (
    <Page title="Failure">
      {resumed && <Resumed {...resumed} />}
      {error && !gone && <ErrorNotice error={error} retry={() => void refetch()} />}
      <Panel>
        {gone ? (
          <EmptyState title="No run is stopped in this way any more.">
            <p className="mb-3">All of them were resumed, or have been removed.</p>
            <Link to="/failures" className={buttonClass()}>
              Show all failures
            </Link>
          </EmptyState>
        ) : (
          <SkeletonRows rows={8} />
        )}
      </Panel>
    </Page>
  );
}

function Resumed({ resumed, skipped }: ResumedView) {
  return (
    <p role="status" data-testid="resumed" className="flex items-center gap-2.5 rounded-lg bg-ok-soft px-4 py-3">
      <StatusIcon status="succeeded" />
      <span>
        {plural(resumed, "run goes", "runs go")} on from the step that failed.
        {skipped > 0 &&
          ` ${plural(skipped, "run was", "runs were")} left alone: somebody resumed them meanwhile, or they stopped in another way.`}
      </span>
    </p>
  );
}

interface FailureProps {
  readonly group: FailureDetailView;
  readonly resumed: ResumedView | null;
  readonly onResumed: (resumed: ResumedView) => void;
}

function Failure({ group, resumed, onResumed }: FailureProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  // A run that was resumed meanwhile is not there to be chosen.
  const selected = group.runs.flatMap(({ id }) => (chosen.has(id) ? [id] : []));
  return (
    <Page
      name={`${group.code}, ${group.flow}`}
      title={
        <span className="flex min-w-0 items-start gap-2.5">
          <span className="pt-1.5">
            <StatusIcon status={group.status} size={18} />
          </span>
          <span className="min-w-0 break-words">{toSentence(group.message)}</span>
        </span>
      }
      lead={<span className="font-mono text-xs">{group.code}</span>}
    >
      {resumed && <Resumed {...resumed} />}
      <Actions
        group={group}
        selected={selected}
        onResumed={(result) => {
          setChosen(new Set());
          onResumed(result);
        }}
      />
      <GroupFacts group={group} />
      <FailedRuns group={group} chosen={chosen} onChoose={setChosen} />
    </Page>
  );
}

function GroupFacts({ group }: { readonly group: FailureDetailView }) {
  return (
    <Facts
      className="rounded-lg border border-line bg-surface px-4 py-3"
      facts={[
        { name: "Runs", value: formatCount(group.count) },
        {
          name: "Flow",
          value: (
            <Link to="/flows/$name" params={{ name: group.flow }} className="text-accent hover:underline">
              {group.flow}
            </Link>
          ),
        },
        { name: "Step", value: group.step ?? "the flow’s own code" },
        { name: "First", value: <RelativeTime at={group.firstAt} /> },
        { name: "Last", value: <RelativeTime at={group.lastAt} /> },
      ]}
    />
  );
}

interface ActionsProps {
  readonly group: FailureDetailView;
  readonly selected: readonly string[];
  readonly onResumed: (resumed: ResumedView) => void;
}

/** What can be done about a failure, and what to know before. */
function Actions({ group, selected, onResumed }: ActionsProps) {
  const [open, setOpen] = useState<"resume" | "migrate" | null>(null);
  const may = useMay("act");
  const all = selected.length === 0;
  const close = () => setOpen(null);
  const changed = group.code === "FLOW_CHANGED";
  const migrated = all ? group.runs.map(({ id }) => id) : selected;
  if (group.status === "in_doubt") {
    return (
      <p className="rounded-lg bg-doubt-soft px-4 py-3">
        Each of these runs asks whether something happened. Open it, look in the other system, and answer; it then goes
        on.
      </p>
    );
  }
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-line bg-surface px-4 py-3">
      <p className="min-w-60 flex-1 text-ink-2 max-sm:min-w-full">{changed ? changedAdvice : advice}</p>
      {changed && (
        <Button look="primary" data-testid="migrate-group" disabled={!may} onClick={() => setOpen("migrate")}>
          <FastForward size={14} />
          Let {all && group.count > migrated.length ? "the newest " : "them "}
          {all && group.count > migrated.length && `${migrated.length} `}go on under the present code
        </Button>
      )}
      <Button
        look={changed ? "plain" : "primary"}
        data-testid="resume-group"
        disabled={!may}
        onClick={() => setOpen("resume")}
      >
        <RotateCcw size={14} />
        {all
          ? `Resume ${group.count === 1 ? "it" : `all ${formatCount(group.count)}`}`
          : `Resume ${plural(selected.length, "selected run", "selected runs")}`}
      </Button>
      {open === "resume" && (
        <GroupResumeDialog
          group={group}
          runIds={all ? null : selected}
          onClose={close}
          onDone={(resumed) => {
            close();
            onResumed(resumed);
          }}
        />
      )}
      {open === "migrate" && <MigrateDialog runIds={migrated} onClose={close} />}
    </div>
  );
}

const advice =
  "Mend the cause first. Resuming does the failed step again in each run; what is shown before you confirm says which effects were done and which would be sent once more.";

const changedAdvice =
  "The flow’s code was changed while these runs were under way, and a step that they recorded is not in it any more. Put the earlier code back and resume them, or let them go on under the present code.";
