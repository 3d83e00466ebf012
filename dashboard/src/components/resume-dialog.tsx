import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { api, type RunDetailView } from "../api.ts";
import { runQuery } from "../queries.ts";
import { receiptWords, stepNumber } from "../words.ts";
import { Badge } from "./badge.tsx";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { StatusIcon } from "./status.tsx";

type Effect = RunDetailView["resume"]["effects"][number];

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

/** Every effect of a run by what resuming does to it. The preview has those from the failed step on. */
function groupEffects({ resume, steps }: RunDetailView): { kept: Effect[]; tried: Effect[]; repeated: Effect[] } {
  const again = new Set(resume.effects.map(({ key }) => key));
  const before = steps.flatMap(({ receipt }): Effect[] =>
    receipt?.state === "done" && receipt.effect !== "read" && !again.has(receipt.key)
      ? [{ ...receipt, wouldRepeat: false }]
      : [],
  );
  const repeated = resume.effects.filter((effect) => effect.wouldRepeat);
  return {
    kept: [...before, ...resume.effects.filter((effect) => !effect.wouldRepeat)],
    tried: repeated.filter((effect) => effect.state === "not_done"),
    repeated: repeated.filter((effect) => effect.state !== "not_done"),
  };
}

function Preview({ run }: { readonly run: RunDetailView }) {
  const { possible, fromStep } = run.resume;
  const step = run.steps.find(({ path }) => path === fromStep);
  const { kept, tried, repeated } = groupEffects(run);
  if (!possible) return <p>This run cannot be resumed any more: it may have been resumed meanwhile.</p>;
  return (
    <>
      <p>
        {step ? (
          <>
            Goes on at step {stepNumber(step.path)}, <strong className="font-medium">{step.name}</strong>.{" "}
            {step.path !== "0" && "The steps before it are kept as they were recorded."}
          </>
        ) : (
          "The finished steps are kept as they were recorded; the flow’s own code runs again and goes on after them."
        )}
      </p>
      <EffectGroup title="Done, and will not be repeated" effects={kept} />
      <EffectGroup title="Not done; will be tried" effects={tried} />
      <EffectGroup title="May have been done, and would be sent again" effects={repeated} warns />
      {kept.length + tried.length + repeated.length === 0 && (
        <p className="text-ink-2">The run has had no effect on another system so far, so nothing can be doubled.</p>
      )}
    </>
  );
}

interface EffectGroupProps {
  readonly title: string;
  readonly effects: readonly Effect[];
  /** Says that the same idempotency key goes along. */
  readonly warns?: boolean;
}

function EffectGroup({ title, effects, warns = false }: EffectGroupProps) {
  if (effects.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1.5 font-medium">{title}</h3>
      <ul className="divide-y divide-line rounded-md border border-line">
        {effects.map((effect) => (
          <li key={effect.key} className="flex items-center gap-2.5 px-3 py-1.5">
            <StatusIcon status={warns ? "in_doubt" : effect.state === "done" ? "succeeded" : "queued"} />
            <code className="text-xs font-medium">{effect.action}</code>
            <Badge tone={effect.state === "done" ? "ok" : effect.state === "unknown" ? "doubt" : "neutral"}>
              {receiptWords[effect.state].label}
            </Badge>
            <code title={effect.key} className="ml-auto min-w-0 truncate text-xs text-ink-3 [direction:rtl]">
              {effect.key}
            </code>
          </li>
        ))}
      </ul>
      {warns && (
        <p className="mt-1.5 text-xs text-ink-2">
          With the same idempotency key as before: a system that heeds it does the work once. Look there first if it
          does not.
        </p>
      )}
    </section>
  );
}
