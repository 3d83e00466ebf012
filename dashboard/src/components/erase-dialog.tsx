import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { ErasureView } from "../api.ts";
import { plural } from "../format.ts";
import { gatewayApi } from "../gateway-api.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { Field } from "./field.tsx";

/** Pages of entries that are counted for the preview. */
const countedPages = 10;
const pageSize = 100;

/** How many runs and calls the ledger has of a person. */
interface Extent {
  readonly runs: number;
  readonly calls: number;
  /** Whether there are more than were counted. */
  readonly more: boolean;
}

async function countOf(subject: string): Promise<Extent> {
  const runs = new Set<string>();
  const calls = new Set<string>();
  let before: string | null = null;
  for (let page = 0; page < countedPages; page += 1) {
    const { items, next } = await gatewayApi.ledger({ subject }, before, pageSize);
    for (const { runId, ref } of items) {
      if (runId !== null) runs.add(runId);
      if (ref !== null) calls.add(ref);
    }
    before = next;
    if (next === null) break;
  }
  return { runs: runs.size, calls: calls.size, more: before !== null };
}

interface EraseDialogProps {
  /** As it was searched for. */
  readonly subject: string;
  readonly onClose: () => void;
  readonly onErased: (erasure: ErasureView) => void;
}

/** Says what would be destroyed, and destroys it once the subject was typed again. */
export function EraseDialog({ subject, onClose, onErased }: EraseDialogProps) {
  const [typed, setTyped] = useState("");
  const formId = useId();
  const client = useQueryClient();
  const erase = useMutation({
    mutationFn: () => gatewayApi.erase(subject),
    onSuccess(erasure) {
      onErased(erasure);
      for (const name of ["ledger", "run"]) void client.invalidateQueries({ queryKey: [name] });
    },
  });
  return (
    <Dialog
      title="Erase a person"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep everything</Button>
          <Button
            look="danger"
            type="submit"
            form={formId}
            data-testid="erase-confirm"
            busy={erase.isPending}
            disabled={typed.trim() !== subject}
          >
            Destroy it for ever
          </Button>
        </>
      }
    >
      <form
        id={formId}
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() === subject) erase.mutate();
        }}
      >
        <Consequences subject={subject} />
        <Field
          label="Type it again to confirm"
          name="subject"
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          note={
            <>
              As it was searched for: <code className="text-xs break-all">{subject}</code>
            </>
          }
        />
        {erase.error && <ErrorNotice error={erase.error} />}
      </form>
    </Dialog>
  );
}

function Consequences({ subject }: { readonly subject: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["erasure", subject],
    queryFn: () => countOf(subject),
    staleTime: 0,
    gcTime: 0,
  });
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data) return <p role="status">Counting what there is …</p>;
  return (
    <>
      <p>
        The keys of{" "}
        <strong className="font-medium" data-testid="erase-extent">
          {data.more && "more than "}
          {plural(data.runs, "run")} with {plural(data.calls, "AI call")}
        </strong>{" "}
        are destroyed. Nobody can read after that, here or in a backup that is made later:
      </p>
      <ul className="list-disc space-y-0.5 pl-5">
        <li>the events that started these runs, and what their steps recorded,</li>
        <li>what was sent to models about them, and what came back.</li>
      </ul>
      <p className="text-ink-2">
        The ledger keeps its entries and still verifies: they hold digests and no content. What a provider keeps, and
        backups made before, are not reached by it. This cannot be undone.
      </p>
    </>
  );
}
