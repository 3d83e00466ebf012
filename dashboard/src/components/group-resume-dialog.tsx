import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { api, type FailureDetailView, type ResumedView } from "../api.ts";
import { groupEffects, joinGroups } from "../effects.ts";
import { formatCount, plural, shortId } from "../format.ts";
import { failureQuery, freshRunsQuery } from "../queries.ts";
import type { ShownStatus } from "../step-tree.ts";
import { receiptWords } from "../words.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ResumedEffects } from "./effect-list.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { StatusIcon } from "./status.tsx";

interface GroupResumeDialogProps {
  readonly group: FailureDetailView;
  /** Null: all of the group. */
  readonly runIds: readonly string[] | null;
  readonly onClose: () => void;
  /** Called when the runs were resumed; the group may be gone then. */
  readonly onDone: (resumed: ResumedView) => void;
}

/** Shows what resuming runs of a group would do, read anew at this moment, and does it on a second click. */
export function GroupResumeDialog({ group, runIds, onClose, onDone }: GroupResumeDialogProps) {
  const client = useQueryClient();
  // What was shown is what is done, also when runs come and go meanwhile.
  const [chosen] = useState(runIds);
  const count = chosen?.length ?? group.count;
  const resume = useMutation({
    mutationFn: () => api.resumeFailures(group.fingerprint, chosen ?? undefined),
    onSuccess(resumed) {
      onDone(resumed);
      for (const name of ["run", "runs", "failures", "failure", "overview"])
        void client.invalidateQueries({ queryKey: [name] });
    },
  });
  return (
    <Dialog
      title={`Resume ${plural(count, "run")}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button
            look="primary"
            data-testid="resume-group-confirm"
            busy={resume.isPending}
            onClick={() => resume.mutate()}
          >
            <RotateCcw size={14} />
            Resume {plural(count, "run")}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        {chosen ? <ChosenPreview runIds={chosen} /> : <GroupPreview fingerprint={group.fingerprint} />}
        {resume.error && <ErrorNotice error={resume.error} />}
      </div>
    </Dialog>
  );
}

function ChosenPreview({ runIds }: { readonly runIds: readonly string[] }) {
  const { data: runs, error, refetch } = useQuery(freshRunsQuery(runIds));
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!runs) return <p role="status">Reading what is recorded of {plural(runIds.length, "run")} …</p>;
  const groups = joinGroups(runs.map(groupEffects));
  const none = Object.values(groups).every((effects) => effects.length === 0);
  return none ? <NoEffect /> : <ResumedEffects {...groups} />;
}

const NoEffect = () => <p>No effect on another system was begun from there on, so nothing can be sent twice.</p>;

function GroupPreview({ fingerprint }: { readonly fingerprint: string }) {
  const { data, error, refetch } = useQuery({ ...failureQuery(fingerprint), staleTime: 0, refetchOnMount: "always" });
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data) return <p role="status">Counting the effects …</p>;
  const { runs, effects, examples } = data.resume;
  const asked = effects.unknown - effects.wouldRepeat;
  const total = effects.done + effects.notDone + effects.unknown;
  return (
    <>
      <p>
        Each goes on from the step that failed it. What was done before stays as it was recorded, and is not repeated.
        {runs < data.count && ` Counted over the newest ${formatCount(runs)}.`}
      </p>
      {total === 0 && <NoEffect />}
      {total > 0 && (
        <ul className="divide-y divide-line rounded-md border border-line">
          <Line icon="succeeded" count={effects.done} what="done" then="will not be repeated" />
          <Line icon="queued" count={effects.notDone} what="not done" then="will be tried" />
          <Line
            icon="in_doubt"
            count={effects.wouldRepeat}
            what="unknown"
            then="would be sent again, with the same idempotency key: look there first if that system does not heed it"
          />
          <Line
            icon="in_doubt"
            count={asked}
            what="unknown"
            then="wait for a person’s answer before anything is sent"
          />
        </ul>
      )}
      {examples.length > 0 && <Examples examples={examples} />}
    </>
  );
}

interface LineProps {
  readonly icon: ShownStatus;
  readonly count: number;
  readonly what: string;
  readonly then: string;
}

function Line({ icon, count, what, then }: LineProps) {
  if (count === 0) return null;
  return (
    <li className="flex items-start gap-2.5 px-3 py-2">
      <span className="pt-[3px]">
        <StatusIcon status={icon} />
      </span>
      <span>
        <strong className="font-medium tabular-nums">
          {plural(count, "effect")} {what}
        </strong>
        : {then}.
      </span>
    </li>
  );
}

function Examples({ examples }: { readonly examples: FailureDetailView["resume"]["examples"] }) {
  return (
    <details className="group">
      <summary className="text-ink-2 hover:text-ink">
        Show {plural(examples.length, "of the effects", "of the effects")}
      </summary>
      <ul className="mt-1.5 divide-y divide-line rounded-md border border-line">
        {examples.map(({ runId, action, key, state, wouldRepeat }) => (
          <li key={key} className="flex items-center gap-2.5 px-3 py-1.5 text-xs">
            <StatusIcon
              status={
                wouldRepeat ? "in_doubt" : state === "done" ? "succeeded" : state === "not_done" ? "queued" : "in_doubt"
              }
              size={12}
            />
            <code className="min-w-0 truncate font-medium">{action}</code>
            <span className="whitespace-nowrap text-ink-2">{receiptWords[state].label}</span>
            <Link to="/runs/$id" params={{ id: runId }} className="ml-auto font-mono text-accent hover:underline">
              {shortId(runId)}
            </Link>
          </li>
        ))}
      </ul>
    </details>
  );
}
