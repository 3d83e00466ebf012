import { Link } from "@tanstack/react-router";
import type { FailedRun, FailureDetailView } from "../api.ts";
import { formatCount, plural } from "../format.ts";
import { useMay } from "../queries.ts";
import { stepNumber } from "../words.ts";
import { Panel } from "./panel.tsx";
import { RelativeTime } from "./time.tsx";

interface FailedRunsProps {
  readonly group: FailureDetailView;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (ids: ReadonlySet<string>) => void;
}

const checkbox = "size-3.5 shrink-0 accent-accent";

/** The newest runs of a group, to be looked at or chosen. */
export function FailedRuns({ group, chosen, onChoose }: FailedRunsProps) {
  const { runs, count } = group;
  const choosable = useMay("act") && group.status === "failed";
  const whole = runs.length > 0 && runs.every(({ id }) => chosen.has(id));
  const some = runs.some(({ id }) => chosen.has(id));
  return (
    <Panel
      title={
        count > runs.length ? `The newest ${formatCount(runs.length)} of ${plural(count, "run")}` : plural(count, "run")
      }
      aside={
        choosable && (
          <label className="flex cursor-pointer items-center gap-2 text-ink-2">
            <input
              type="checkbox"
              className={checkbox}
              checked={whole}
              ref={(box) => {
                if (box) box.indeterminate = some && !whole;
              }}
              onChange={() => onChoose(new Set(whole ? [] : runs.map(({ id }) => id)))}
            />
            Select all shown
          </label>
        )
      }
    >
      <ul className="divide-y divide-line">
        {runs.map((run) => (
          <RunLine
            key={run.id}
            run={run}
            chosen={choosable ? chosen.has(run.id) : null}
            onToggle={() => onChoose(toggled(chosen, run.id))}
          />
        ))}
      </ul>
    </Panel>
  );
}

function toggled(chosen: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(chosen);
  if (!next.delete(id)) next.add(id);
  return next;
}

interface RunLineProps {
  readonly run: FailedRun;
  /** Null: it cannot be chosen. */
  readonly chosen: boolean | null;
  readonly onToggle: () => void;
}

function RunLine({ run, chosen, onToggle }: RunLineProps) {
  return (
    <li
      data-testid="failed-run"
      data-run-id={run.id}
      className="flex min-h-8 items-center gap-3 px-4 hover:bg-hover max-md:min-h-10"
    >
      {chosen !== null && (
        <input
          type="checkbox"
          aria-label={`Select run ${run.id}`}
          className={checkbox}
          checked={chosen}
          onChange={onToggle}
        />
      )}
      <Link
        to="/runs/$id"
        params={{ id: run.id }}
        className="min-w-0 truncate font-mono text-xs text-accent hover:underline"
      >
        {run.id}
      </Link>
      {run.status === "in_doubt" && (
        <Link to="/runs/$id" params={{ id: run.id }} className="font-medium text-accent hover:underline">
          Answer
        </Link>
      )}
      <span className="ml-auto flex gap-4 whitespace-nowrap text-ink-2">
        {run.failedStep !== null && <span className="max-md:hidden">step {stepNumber(run.failedStep)}</span>}
        {run.finishedAt && <RelativeTime at={run.finishedAt} />}
      </span>
    </li>
  );
}
