import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleSlash, FastForward, RotateCcw } from "lucide-react";
import { useState } from "react";
import { api, type RunDetailView } from "../api.ts";
import { useMay } from "../queries.ts";
import { finished } from "../words.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { lazyPart } from "./lazy-part.tsx";

const ResumeDialog = lazyPart(async () => (await import("./resume-dialog.tsx")).ResumeDialog);
const MigrateDialog = lazyPart(async () => (await import("./migrate-dialog.tsx")).MigrateDialog);

/** What a person can do with a run: resume one that stopped, cancel one that has not. */
export function RunActions({ run }: { readonly run: RunDetailView }) {
  const [open, setOpen] = useState<"resume" | "migrate" | "cancel" | null>(null);
  const may = useMay("act");
  const close = () => setOpen(null);
  if (!may) return null;
  return (
    <>
      {run.migration?.possible && (
        <Button look="primary" data-testid="migrate" onClick={() => setOpen("migrate")}>
          <FastForward size={14} />
          Let it go on under the present code
        </Button>
      )}
      {/* While there is a question, resuming would only ask it again. */}
      {run.resume.possible && run.question === null && (
        <Button
          look={run.migration?.possible ? "plain" : "primary"}
          data-testid="resume"
          onClick={() => setOpen("resume")}
        >
          <RotateCcw size={14} />
          {run.resume.fromStep === null ? "Resume" : "Resume from the failed step"}
        </Button>
      )}
      {!finished(run) && (
        <Button look="danger" data-testid="cancel" onClick={() => setOpen("cancel")}>
          <CircleSlash size={14} />
          Cancel run
        </Button>
      )}
      {open === "resume" && <ResumeDialog id={run.id} onClose={close} />}
      {open === "migrate" && <MigrateDialog runIds={[run.id]} onClose={close} />}
      {open === "cancel" && <CancelDialog id={run.id} onClose={close} />}
    </>
  );
}

function CancelDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => api.cancel(id),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ["run", id] });
      onClose();
    },
  });
  return (
    <Dialog
      title="Cancel the run"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it running</Button>
          <Button look="danger" data-testid="cancel-confirm" busy={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel run
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        <p>
          No further step is started, here and in the runs that it waits for. What the run has already done in other
          systems stays done; its receipts are kept.
        </p>
        {cancel.error && <ErrorNotice error={cancel.error} />}
      </div>
    </Dialog>
  );
}
