import type { StepView } from "../api.ts";
import { formatClock, formatDuration, formatExact, formatSince } from "../format.ts";
import { AiCallDetail } from "./ai-call-detail.tsx";
import { JsonView } from "./json-view.tsx";
import { Caption } from "./panel.tsx";
import { ReceiptDetail } from "./receipt-detail.tsx";
import { RunErrorNotice } from "./run-error-notice.tsx";
import { StatusIcon } from "./status.tsx";
import { useRunClock } from "./time.tsx";

interface StepDetailProps {
  readonly step: StepView;
  /** Whether the run has ended. */
  readonly ended: boolean;
}

/** Everything that is known of a step. */
export function StepDetail({ step, ended }: StepDetailProps) {
  const tried = step.attempts.length > 1 || step.attempts.some((attempt) => attempt.error !== null);
  return (
    <div className="space-y-4 border-t border-line bg-sunken px-4 pt-3 pb-4 md:pl-10">
      {step.error && <RunErrorNotice error={step.error} detailed />}
      {step.status === "waiting" && !ended && <Waiting step={step} />}
      {step.aiCalls.map((call) => (
        <AiCallDetail key={call.id} call={call} numbered={step.aiCalls.length > 1} />
      ))}
      {step.receipt && <ReceiptDetail receipt={step.receipt} />}
      {tried && <Attempts step={step} />}
      {!tellsAll(step) && (
        <div className="grid gap-4 lg:grid-cols-2">
          <div className="min-w-0">
            <Caption>Input</Caption>
            <Value value={step.input} label="input" />
          </div>
          <div className="min-w-0">
            <Caption>Output</Caption>
            <Value value={step.output} label="output" />
          </div>
        </div>
      )}
    </div>
  );
}

/** Whether the receipt's request and response are the step's input and output, so that they need not stand there twice. */
function tellsAll({ receipt, input, output }: StepView): boolean {
  if (!receipt) return false;
  return JSON.stringify([receipt.request, receipt.response]) === JSON.stringify([input, output]);
}

function Value({ value, label }: { readonly value: StepView["input"]; readonly label: string }) {
  if (value === null || value === undefined) return <p className="text-ink-3">Nothing recorded.</p>;
  return <JsonView value={value} label={label} className="bg-surface" />;
}

function Waiting({ step }: { readonly step: StepView }) {
  const now = useRunClock(null);
  const since = `since ${formatSince(step.startedAt, now)}`;
  if (step.kind === "signal") {
    return (
      <p>
        Waiting {since} for the signal <code className="text-xs font-medium">{step.name}</code>. It may come from
        another system through the API, and waiting has no time limit of its own.
      </p>
    );
  }
  if (step.wakeAt === null) return <p>Waiting {since}.</p>;
  const left = Date.parse(step.wakeAt) - now;
  return (
    <p>
      Goes on by itself at <span title={formatExact(step.wakeAt)}>{formatClock(step.wakeAt, now)}</span>
      {left > 0 && `, in ${formatDuration(left)}`}. No slot is held while it waits.
    </p>
  );
}

function Attempts({ step }: { readonly step: StepView }) {
  return (
    <div>
      <Caption>Attempts</Caption>
      <ol className="divide-y divide-line rounded-md border border-line bg-surface">
        {step.attempts.map((attempt) => {
          const state = attempt.error ? "failed" : attempt.finishedAt ? "succeeded" : "running";
          return (
            <li
              key={attempt.number}
              className="grid grid-cols-[20px_16px_minmax(0,1fr)_auto] items-start gap-2 px-3 py-1.5"
            >
              <span className="text-right text-ink-3 tabular-nums">{attempt.number}</span>
              <span className="pt-[3px]">
                <StatusIcon status={state} />
              </span>
              <span className="break-words">
                {attempt.error ? attempt.error.message : state === "running" ? "Running" : "Succeeded"}
                {attempt.error && <code className="ml-2 text-xs text-ink-3">{attempt.error.code}</code>}
              </span>
              <time
                dateTime={attempt.startedAt}
                title={formatExact(attempt.startedAt)}
                className="text-right whitespace-nowrap text-ink-2 tabular-nums"
              >
                {formatClock(attempt.startedAt, Date.now())}
                {attempt.finishedAt && (
                  <span className="ml-3 inline-block min-w-14">
                    {formatDuration(Date.parse(attempt.finishedAt) - Date.parse(attempt.startedAt))}
                  </span>
                )}
              </time>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
