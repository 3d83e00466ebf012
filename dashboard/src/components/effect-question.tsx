import type { Json, EffectQuestionView, RunDetailView } from "../api.ts";
import { formatClock, formatExact, plural, toSentence } from "../format.ts";
import { connectionName, stepNumber } from "../words.ts";
import { RulingForm } from "./ruling-form.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Facts } from "./facts.tsx";
import { JsonView } from "./json-view.tsx";
import { Caption } from "./panel.tsx";
import { StatusIcon } from "./status.tsx";
import { useNow } from "./time.tsx";

interface EffectQuestionProps {
  readonly run: RunDetailView;
  readonly question: EffectQuestionView;
}

/** Asks a person whether an effect in doubt happened: what is known of it, and three answers, each with what it leads to. */
export function EffectQuestion({ run, question }: EffectQuestionProps) {
  const now = useNow();
  const step = run.steps.find(({ path }) => path === question.stepPath);
  return (
    <section
      data-testid="question"
      aria-labelledby="question-title"
      className="overflow-hidden rounded-lg border-2 border-doubt bg-surface"
    >
      <header className="flex items-start gap-3 border-b border-line bg-doubt-soft px-4 py-3">
        <span className="pt-0.5">
          <StatusIcon status="in_doubt" size={20} />
        </span>
        <div className="min-w-0">
          <h2 id="question-title" className="text-lg font-semibold break-words">
            Did “{step?.name ?? question.action}” happen?
          </h2>
          <p>
            It was tried {question.attempts > 1 && `${plural(question.attempts, "time")}, first `}at{" "}
            <span title={formatExact(question.startedAt)}>{formatClock(question.startedAt, now)}</span>, and no answer
            settles whether it was done.{" "}
            {step?.receipt?.effect === "write" ? "A repeat might double it" : "It cannot be taken back"}, so the run
            stands still until a person says.
          </p>
        </div>
      </header>
      <div className="grid lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)] lg:divide-x lg:divide-line">
        <Known question={question} answer={messageOf(step?.receipt?.response)} />
        <RulingForm runId={run.id} question={question} />
      </div>
    </section>
  );
}

/** What the last try ended with, where that is an error. */
function messageOf(response: Json | undefined): string | null {
  const isObject = typeof response === "object" && response !== null && !Array.isArray(response);
  return isObject && "message" in response && typeof response["message"] === "string" ? response["message"] : null;
}

function Known({ question, answer }: { readonly question: EffectQuestionView; readonly answer: string | null }) {
  const { action, connection, stepPath, key, reason, request } = question;
  return (
    <div className="min-w-0 space-y-3 px-4 py-3 max-lg:border-b max-lg:border-line">
      <h3 className="font-medium">What is known</h3>
      <Facts
        facts={[
          { name: "Connection", value: connectionName(connection) },
          { name: "Action", value: <code className="text-xs">{action}</code> },
          { name: "Step", value: stepNumber(stepPath) },
        ]}
      />
      <div>
        <Caption>Idempotency key</Caption>
        <span className="flex items-center gap-1">
          <code className="min-w-0 text-xs break-all">{key}</code>
          <CopyButton text={key} label="Copy the idempotency key" />
        </span>
      </div>
      <div>
        <Caption>What was to be sent</Caption>
        {request === null ? (
          <p className="text-ink-2">No request is recorded: the step is code of the flow.</p>
        ) : (
          <JsonView value={request} label="request" />
        )}
      </div>
      <div>
        <Caption>Why it is in doubt</Caption>
        <p className="break-words">{toSentence(reason)}</p>
        {answer !== null && <p className="break-words text-ink-2">The last try ended with: {answer}</p>}
      </div>
    </div>
  );
}
