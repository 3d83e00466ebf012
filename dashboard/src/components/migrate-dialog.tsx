import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { FastForward } from "lucide-react";
import { useState } from "react";
import { api, type RunDetailView } from "../api.ts";
import { plural } from "../format.ts";
import { freshRunsQuery } from "../queries.ts";
import { forRuns } from "../run-batch.ts";
import { stepNumber } from "../words.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { EffectList } from "./effect-list.tsx";
import { ErrorNotice } from "./error-notice.tsx";

interface MigrateDialogProps {
  readonly runIds: readonly string[];
  readonly onClose: () => void;
}

/** Shows which step of runs does not fit their changed flow, and what would be done anew; lets them go on at a second click. */
export function MigrateDialog({ runIds: given, onClose }: MigrateDialogProps) {
  const client = useQueryClient();
  // What was shown is what is done, also when runs come and go meanwhile.
  const [runIds] = useState(given);
  const fresh = useQuery(freshRunsQuery(runIds));
  const runs = fresh.data?.filter((run) => run.migration?.possible) ?? [];
  const [over, setOver] = useState(0);
  const migrate = useMutation({
    mutationFn: () =>
      forRuns(
        runs.map(({ id }) => id),
        api.migrate,
        setOver,
      ),
    async onSuccess(outcomes) {
      for (const name of ["run", "failure", "failures"]) void client.invalidateQueries({ queryKey: [name] });
      if (outcomes.every((outcome) => "value" in outcome)) onClose();
    },
  });
  const refused = migrate.data?.flatMap((outcome) => ("problem" in outcome ? [outcome] : [])) ?? [];
  return (
    <Dialog
      title={`Let ${runIds.length > 1 ? "them" : "it"} go on under the present code`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button
            look="primary"
            data-testid="migrate-confirm"
            busy={migrate.isPending}
            disabled={runs.length === 0 || fresh.isFetching || migrate.data !== undefined}
            onClick={() => migrate.mutate()}
          >
            <FastForward size={14} />
            {migrate.isPending
              ? `${over} of ${runs.length}`
              : runIds.length > 1
                ? `Let ${plural(runs.length, "run")} go on`
                : "Let it go on"}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        {fresh.isPending && <p role="status">Reading what is recorded of {plural(runIds.length, "run")} …</p>}
        {fresh.error && <ErrorNotice error={fresh.error} retry={() => void fresh.refetch()} />}
        {fresh.data && <Preview runs={runs} asked={runIds.length} />}
        {refused.length > 0 && <p role="status">{plural(refused.length, "run")} could not go on; the others do.</p>}
        {refused[0] && <ErrorNotice error={refused[0].problem} />}
      </div>
    </Dialog>
  );
}

/** The steps that do not fit, with how many runs stopped at each. */
function unfitSteps(runs: readonly RunDetailView[]): { path: string; name: string; count: number }[] {
  const steps = new Map<string, { path: string; name: string; count: number }>();
  for (const { migration } of runs) {
    if (!migration) continue;
    const { path, name } = migration.step;
    const key = `${path} ${name}`;
    steps.set(key, { path, name, count: (steps.get(key)?.count ?? 0) + 1 });
  }
  return [...steps.values()].toSorted((a, b) => b.count - a.count);
}

function Preview({ runs, asked }: { readonly runs: readonly RunDetailView[]; readonly asked: number }) {
  const steps = unfitSteps(runs);
  const effects = runs.flatMap(({ migration }) => migration?.effects ?? []);
  if (runs.length === 0) return <p>There is nothing to let go on any more: somebody may have done it meanwhile.</p>;
  return (
    <>
      {runs.length < asked && (
        <p>{plural(asked - runs.length, "run is", "runs are")} not stopped by the change any more and left alone.</p>
      )}
      <div>
        <h3 className="mb-1.5 font-medium">What no longer fits</h3>
        <ul className="divide-y divide-line rounded-md border border-line">
          {steps.map(({ path, name, count }) => (
            <li key={`${path} ${name}`} className="flex items-baseline gap-2 px-3 py-1.5">
              Step {stepNumber(path)}, recorded as <strong className="font-medium">{name}</strong>
              {asked > 1 && <span className="ml-auto text-ink-2 tabular-nums">{plural(count, "run")}</span>}
            </li>
          ))}
        </ul>
        <p className="mt-1.5 text-ink-2">
          The steps before it are kept as they were recorded. It and all after it are done anew by the flow’s present
          code.
        </p>
      </div>
      <EffectList
        title="Done already, or perhaps done; may be done once more"
        icon="in_doubt"
        effects={effects}
        note="Under other idempotency keys than before, so the other systems cannot tell that it is a repeat."
      />
      {effects.length === 0 && <p>No effect was done from there on, so nothing can be doubled.</p>}
    </>
  );
}
