import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { api, type RunDetailView } from "../api.ts";
import { groupEffects } from "../effects.ts";
import { formatCount } from "../format.ts";
import { runQuery } from "../queries.ts";
import { findNode, treeOf } from "../step-tree.ts";
import { stepNumber } from "../words.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ResumedEffects } from "./effect-list.tsx";
import { ErrorNotice } from "./error-notice.tsx";

/** Shows what resuming would do, read anew at this moment, and does it on a second click. */
export function ResumeDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const fresh = useQuery({ ...runQuery(id), staleTime: 0, refetchOnMount: "always" });
  const resume = useMutation({
    mutationFn: () => api.resume(id),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ["run", id] });
      onClose();
    },
  });
  const preview = fresh.data?.resume;
  return (
    <Dialog
      title="Resume the run"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button
            look="primary"
            data-testid="resume-confirm"
            autoFocus
            busy={resume.isPending}
            disabled={preview?.possible !== true || fresh.isFetching}
            onClick={() => resume.mutate()}
          >
            <RotateCcw size={14} />
            Resume
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        {fresh.error && <ErrorNotice error={fresh.error} retry={() => void fresh.refetch()} />}
        {fresh.data && <Preview run={fresh.data} />}
        {resume.error && <ErrorNotice error={resume.error} />}
      </div>
    </Dialog>
  );
}

/** What goes on where: a map does again only the items that failed. */
function Place({ run }: { readonly run: RunDetailView }) {
  const node = findNode(treeOf(run.steps), run.resume.fromStep);
  if (!node)
    return "The finished steps are kept as they were recorded; the flow’s own code runs again and goes on after them.";
  const { step, children } = node;
  const done = children.filter((child) => child.step.status === "succeeded").length;
  return (
    <>
      Goes on at step {stepNumber(step.path)}, <strong className="font-medium">{step.name}</strong>.{" "}
      {done > 0 &&
        `Of its items, the ${formatCount(done)} that are done keep their results; only the others are done again. `}
      {step.path !== "0" && "The steps before it are kept as they were recorded."}
    </>
  );
}

function Preview({ run }: { readonly run: RunDetailView }) {
  if (!run.resume.possible) return <p>This run cannot be resumed any more: it may have been resumed meanwhile.</p>;
  const groups = groupEffects(run);
  return (
    <>
      <p>
        <Place run={run} />
      </p>
      <ResumedEffects {...groups} />
      {Object.values(groups).every((effects) => effects.length === 0) && (
        <p className="text-ink-2">The run has had no effect on another system so far, so nothing can be doubled.</p>
      )}
    </>
  );
}
