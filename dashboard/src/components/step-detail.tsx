import type { RunDetailView, StepView } from "../api.ts";
import { formatClock, formatDuration, formatExact } from "../format.ts";
import { askedFor } from "../question.ts";
import { statusWords } from "../words.ts";
import { AiCalls } from "./ai-call-detail.tsx";
import { CopyButton } from "./copy-button.tsx";
import { JsonView } from "./json-view.tsx";
import { Caption } from "./panel.tsx";
import { ReceiptDetail } from "./receipt-detail.tsx";
import { RunErrorNotice } from "./run-error-notice.tsx";
import { StatusIcon } from "./status.tsx";
import { SubflowLink } from "./subflow-link.tsx";
import { useRunClock } from "./time.tsx";
import { indentPx } from "./timeline-grid.ts";
import { Wait } from "./wait-notice.tsx";

interface StepDetailProps {
  readonly step: StepView;
  readonly run: RunDetailView;
  /** How many steps it is inside of. */
  readonly depth: number;
}

/** Everything that is known of a step. */
export function StepDetail({ step, run, depth }: StepDetailProps) {
  const tried = step.attempts.length > 1 || step.attempts.some((attempt) => attempt.error !== null);
  return (
    <div
      className="space-y-4 border-t border-line bg-sunken px-4 pt-3 pb-4 md:pl-(--indent)"
      style={{ ["--indent" as string]: `${40 + depth * indentPx}px` }}
    >
      {step.error && <RunErrorNotice error={step.error} detailed />}
      {waits(step, run) && <Waiting step={step} run={run} />}
      {step.kind === "run" && <Subflow step={step} run={run} />}
      <AiCalls calls={step.aiCalls} runId={run.id} />
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

const waits = (step: StepView, run: RunDetailView): boolean =>
  run.finishedAt === null && step.finishedAt === null && (step.status === "waiting" || run.status === "waiting");

function Waiting({ step, run }: { readonly step: StepView; readonly run: RunDetailView }) {
  const now = useRunClock(null);
  const path = `/api/v1/runs/${run.id}/signals/${encodeURIComponent(step.name)}`;
  return (
    <div>
      <p>
        <Wait step={step} run={run} now={now} />
      </p>
      {step.kind === "signal" && askedFor(step) === null && (
        <p className="mt-1 flex flex-wrap items-center gap-x-1 text-ink-2">
          It comes by <code className="text-xs break-all">POST {path}</code>
          <CopyButton text={location.origin + path} label="Copy the address" /> with{" "}
          <code className="text-xs">{'{ "value": … }'}</code>
        </p>
      )}
    </div>
  );
}

function Subflow({ step, run }: { readonly step: StepView; readonly run: RunDetailView }) {
  const subflow = run.subflows.find(({ path }) => path === step.path);
  if (!subflow) return null;
  return (
    <p className="flex flex-wrap items-center gap-x-2">
      Its own run, which is {statusWords[subflow.status].toLowerCase()}: <SubflowLink subflow={subflow} />
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
