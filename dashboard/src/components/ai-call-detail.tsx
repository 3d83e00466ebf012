import { ChevronRight } from "lucide-react";
import { clsx } from "clsx";
import { useState } from "react";
import type { AiCallView } from "../api.ts";
import { formatCost, plural } from "../format.ts";
import { laneWords, rungWords } from "../gateway-words.ts";
import { answerExchange, sentExchange } from "../messages.ts";
import { CallFacts } from "./ai-call-facts.tsx";
import { Badge, SimulatedBadge } from "./badge.tsx";
import { ExchangeView } from "./exchange-view.tsx";
import { Caption } from "./panel.tsx";
import { RunErrorNotice } from "./run-error-notice.tsx";
import { SentFields } from "./sent-fields.tsx";

interface AiCallsProps {
  readonly calls: readonly AiCallView[];
  readonly runId: string;
}

/** The requests of one step, in their order: each try, each asking again, each other model. The last one stands open. */
export function AiCalls({ calls, runId }: AiCallsProps) {
  if (calls.length < 2)
    return calls.map((call) => <AiCallDetail key={call.id} call={call} runId={runId} number={null} open />);
  return (
    <div className="space-y-2">
      <Caption>{plural(calls.length, "request")} to models, in their order</Caption>
      {calls.map((call, index) => (
        <AiCallDetail key={call.id} call={call} runId={runId} number={index + 1} open={index === calls.length - 1} />
      ))}
    </div>
  );
}

interface AiCallDetailProps {
  readonly call: AiCallView;
  readonly runId: string;
  /** Which of several it is; null when it is the only one. */
  readonly number: number | null;
  /** Whether it stands open before anyone has clicked. */
  readonly open: boolean;
}

/** One request to a model: what left the company, what came back, and what it cost. */
function AiCallDetail({ call, runId, number, open: opensByItself }: AiCallDetailProps) {
  const [open, setOpen] = useState(opensByItself);
  const folds = number !== null;
  return (
    <section data-testid="ai-call" className="overflow-hidden rounded-md border border-line bg-surface">
      <header
        className={clsx(
          "flex min-h-9 flex-wrap items-center gap-x-2 gap-y-1 px-3 py-1",
          open && "border-b border-line",
        )}
      >
        {folds ? (
          <button
            type="button"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
            className="-ml-1 flex items-center gap-1"
          >
            <ChevronRight size={14} className={clsx("text-ink-3 transition-transform", open && "rotate-90")} />
            <h3 className="font-medium">AI call {number}</h3>
          </button>
        ) : (
          <h3 className="font-medium">AI call</h3>
        )}
        <CallName call={call} />
        {folds && !open && <Outcome call={call} />}
      </header>
      {open && (
        <div className="space-y-3 px-3 pt-2 pb-3">
          <SentFields call={call} />
          <div className="grid gap-3 lg:grid-cols-2">
            <Request call={call} />
            <Answer call={call} />
          </div>
          <CallFacts call={call} runId={runId} />
        </div>
      )}
    </section>
  );
}

function CallName({ call }: { readonly call: AiCallView }) {
  const rung = call.rung === null ? null : rungWords[call.rung];
  return (
    <>
      <span className="text-ink-2">
        {call.modelName}: {call.provider} <code className="text-xs break-all">{call.model}</code>
      </span>
      {call.region !== null && <Badge title="Where the model runs, as configured">{call.region}</Badge>}
      {call.lane !== "standard" && <Badge title={laneWords[call.lane]}>{call.lane} lane</Badge>}
      {call.simulated && <SimulatedBadge />}
      {rung && (
        <Badge tone={call.rung === "as_is" ? "ok" : "wait"} title={rung.meaning}>
          {rung.label}
        </Badge>
      )}
      {call.status === "intent" && <Badge>no answer yet</Badge>}
      {call.status === "failed" && <Badge tone="fail">failed</Badge>}
    </>
  );
}

/** What a folded call came to, in a few words. */
function Outcome({ call: { error, costMicroUsd, status } }: { readonly call: AiCallView }) {
  return (
    <span className="ml-auto min-w-0 truncate text-xs text-ink-2 tabular-nums">
      {error && <code>{error.code}</code>}
      {status !== "intent" &&
        `${error ? ", " : ""}${costMicroUsd === null ? "price unknown" : formatCost(costMicroUsd)}`}
    </span>
  );
}

const kindsOf = ({ masked }: AiCallView): string[] => Object.keys(masked);

const erased = "It was erased: its key was destroyed. The digest still proves what it was.";

function Request({ call }: { readonly call: AiCallView }) {
  if (call.request === null)
    return (
      <div className="min-w-0">
        <Caption>What was sent</Caption>
        <p className="text-ink-3">{erased}</p>
      </div>
    );
  return (
    <ExchangeView
      title={kindsOf(call).length > 0 ? "What was sent, masked" : "What was sent"}
      exchange={sentExchange(call.request)}
      whole={call.request}
      maskedKinds={kindsOf(call)}
    />
  );
}

/** An answer that could not be used stands there with what is wrong with it. */
function Answer({ call }: { readonly call: AiCallView }) {
  const { error, response, status, request } = call;
  return (
    <div className="min-w-0 space-y-2">
      {response === null ? (
        <Caption>What came back</Caption>
      ) : (
        <ExchangeView
          title="What came back"
          exchange={answerExchange(response)}
          whole={response}
          maskedKinds={kindsOf(call)}
        />
      )}
      {error && <RunErrorNotice error={error} detailed />}
      {response === null && !error && (
        <p className="text-ink-3">{status !== "intent" && request === null ? erased : "Nothing recorded yet."}</p>
      )}
    </div>
  );
}
