import { useState } from "react";
import type { AnswerQuestionView, Json, RunDetailView } from "../api.ts";
import { answerFieldsOf, answerOf, textsOf, type AnswerField } from "../answer-fields.ts";
import { toSentence } from "../format.ts";
import { answerExchange } from "../messages.ts";
import { useMay } from "../queries.ts";
import { AnswerInput } from "./answer-input.tsx";
import { Button } from "./button.tsx";
import { hasPlaceholder, MaskedText } from "./masked-text.tsx";
import { Caption } from "./panel.tsx";
import { AnswerOutcome, QuestionFrame, useAnswer } from "./question-frame.tsx";

interface AnswerQuestionProps {
  readonly run: RunDetailView;
  readonly question: AnswerQuestionView;
}

/** Asks a person for a value that no model could give: what was said, what is wrong with it, and a form of the schema. */
export function AnswerQuestion({ run, question }: AnswerQuestionProps) {
  const said = lastAnswer(run, question);
  return (
    <QuestionFrame
      title={`What should “${question.stepName}” answer?`}
      since={question.startedAt}
      why="No answer of a model fitted."
      known={<Known complaint={question.complaint} said={said} />}
    >
      <AnswerForm runId={run.id} question={question} said={said} />
    </QuestionFrame>
  );
}

/** What a model said last, as it came: with placeholders of these kinds. */
interface Said {
  readonly text: string | null;
  readonly maskedKinds: readonly string[];
}

function lastAnswer(run: RunDetailView, { stepName, answer }: AnswerQuestionView): Said {
  const calls = run.steps.flatMap(({ name, aiCalls }) => (name === stepName ? aiCalls : []));
  const maskedKinds = [...new Set(calls.flatMap(({ masked }) => Object.keys(masked)))];
  if (answer === null) return { text: null, maskedKinds };
  const [message] = answerExchange(answer).messages;
  return { text: message?.content ?? JSON.stringify(answer, null, 2), maskedKinds };
}

function Known({ complaint, said }: { readonly complaint: string; readonly said: Said }) {
  return (
    <>
      <div>
        <Caption>What is wrong with the last answer</Caption>
        <p className="break-words whitespace-pre-wrap">
          {complaint === "" ? "Nothing is recorded." : toSentence(complaint)}
        </p>
      </div>
      <div>
        <Caption>What the model answered</Caption>
        {said.text === null ? (
          <p className="text-ink-2">It gave nothing that could be used.</p>
        ) : (
          <pre
            tabIndex={0}
            className="max-h-80 overflow-auto rounded-md border border-line bg-sunken px-3 py-2 text-xs/[18px] break-words whitespace-pre-wrap"
          >
            <MaskedText text={said.text} kinds={said.maskedKinds} />
          </pre>
        )}
      </div>
      <p className="text-ink-2">What was sent stands in the timeline below, with each AI call.</p>
    </>
  );
}

/** The whole answer as one field of JSON, for schemas that are no flat object. */
const wholeField: AnswerField = {
  name: "answer",
  kind: "json",
  required: true,
  isWhole: false,
  choices: [],
  least: undefined,
  most: undefined,
  rules: [],
  description: undefined,
};

interface AnswerFormProps {
  readonly runId: string;
  readonly question: AnswerQuestionView;
  readonly said: Said;
}

function AnswerForm({ runId, question, said }: AnswerFormProps) {
  const given = answerFieldsOf(question.schema);
  const fields = given ?? [wholeField];
  const [texts, setTexts] = useState(() =>
    given ? textsOf(given, said.text, (text) => !hasPlaceholder(text, said.maskedKinds)) : { answer: "" },
  );
  const may = useMay("act");
  const answer = useAnswer(runId, question.signal);
  const object = answerOf(fields, texts);
  const value: Json | undefined = object === null ? undefined : given ? object : object["answer"];
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (value !== undefined) answer.mutate(value);
      }}
    >
      <fieldset disabled={!may || answer.isPending} className="min-w-0 space-y-3">
        <legend className="mb-2.5 font-medium">Give the answer:</legend>
        {fields.map((field) => (
          <AnswerInput
            key={field.name}
            field={field}
            text={texts[field.name] ?? ""}
            onChange={(text) => setTexts({ ...texts, [field.name]: text })}
          />
        ))}
      </fieldset>
      <AnswerOutcome answer={answer} />
      <div className="flex flex-wrap items-center gap-3">
        <Button
          type="submit"
          look="primary"
          data-testid="give-answer"
          busy={answer.isPending}
          disabled={!may || value === undefined}
        >
          Give this answer
        </Button>
        <span className="text-xs text-ink-2">
          {may ? "It is held against the schema and the flow’s checks as well." : "Your role may look, but not answer."}
        </span>
      </div>
    </form>
  );
}
