import type { RunDetailView, StepView } from "../api.ts";
import { formatClock, formatDuration, formatExact, plural } from "../format.ts";
import { pendingOf, treeOf } from "../step-tree.ts";
import { waitSentence } from "../words.ts";
import { StatusIcon } from "./status.tsx";
import { SubflowLink } from "./subflow-link.tsx";
import { useRunClock } from "./time.tsx";

/** So many waits are told one by one. */
const toldWaits = 5;

/** What a waiting run waits for, since when, and when it goes on by itself. The page's heading tells the first of it. */
export function WaitNotice({ run }: { readonly run: RunDetailView }) {
  const now = useRunClock(null);
  const waits = pendingOf(treeOf(run.steps));
  const [first] = waits;
  return (
    <div className="flex items-start gap-2.5 rounded-lg bg-wait-soft px-4 py-3" data-testid="wait-notice">
      <span className="pt-[3px]">
        <StatusIcon status="waiting" />
      </span>
      <div className="min-w-0 flex-1 space-y-1">
        {waits.length === 1 && first && (
          <p>
            <WaitEnd step={first} run={run} now={now} />
          </p>
        )}
        {waits.length > 1 &&
          waits.slice(0, toldWaits).map((step) => (
            <p key={step.path}>
              <Wait step={step} run={run} now={now} />
            </p>
          ))}
        {waits.length > toldWaits && <p>And {plural(waits.length - toldWaits, "more wait")}; see the timeline.</p>}
        <p className="text-ink-2">
          {run.parked
            ? "Until then the run is a row in the database: a wait of months costs nothing more, and a restart changes nothing."
            : "The wait is short, so the run stays where it is."}
        </p>
      </div>
    </div>
  );
}

interface WaitProps {
  readonly step: StepView;
  readonly run: RunDetailView;
  readonly now: number;
}

/** What a step waits for and when that ends. */
export function Wait({ step, run, now }: WaitProps) {
  return (
    <>
      <span className="font-medium">
        {waitSentence(step, now)}
        {run.parked && "; nothing is held in memory"}.
      </span>{" "}
      <WaitEnd step={step} run={run} now={now} />
    </>
  );
}

function WaitEnd({ step, run, now }: WaitProps) {
  if (step.kind === "run") {
    const subflow = run.subflows.find(({ path }) => path === step.path);
    return (
      <>
        It goes on when{" "}
        {subflow ? (
          <>
            run <SubflowLink subflow={subflow} />
          </>
        ) : (
          "that run"
        )}{" "}
        has ended.
      </>
    );
  }
  if (step.wakeAt === null) return null;
  const left = formatDuration(Math.max(0, Date.parse(step.wakeAt) - now));
  if (step.waitReason !== null) return <span title={formatExact(step.wakeAt)}>It looks again in {left}.</span>;
  if (step.kind !== "signal") return <span title={formatExact(step.wakeAt)}>It goes on by itself, in {left}.</span>;
  return (
    <>
      If it has not come by{" "}
      <span title={formatExact(step.wakeAt)} className="whitespace-nowrap">
        {formatClock(step.wakeAt, now)}
      </span>
      , in {left}, the wait ends with an error.
    </>
  );
}
