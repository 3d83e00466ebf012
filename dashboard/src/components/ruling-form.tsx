import { useMutation, useQueryClient } from "@tanstack/react-query";
import { clsx } from "clsx";
import { useId, useState } from "react";
import { api, type EffectQuestionView, type RulingWord } from "../api.ts";
import { parseJson } from "../json-text.ts";
import { useMay } from "../queries.ts";
import { rulingWords } from "../words.ts";
import { Button } from "./button.tsx";
import { ErrorNotice } from "./error-notice.tsx";

/** What each answer leads to, and the words of the button that gives it. */
const answers: readonly { readonly word: RulingWord; readonly follows: string; readonly button: string }[] = [
  {
    word: "done",
    follows: "The step counts as done and is not done again. The run goes on after it.",
    button: "Answer: it happened",
  },
  {
    word: "not_done",
    follows:
      "The step is given up and never tried again. The flow is told so, and may go on without it; otherwise the run fails here.",
    button: "Answer: it did not, and should not",
  },
  {
    word: "try_again",
    follows:
      "It is done once more, with the same idempotency key. If it did happen after all, it may then have happened twice.",
    button: "Answer: try it again",
  },
];

interface RulingFormProps {
  readonly runId: string;
  readonly question: EffectQuestionView;
}

/** The answers to a question. Choosing one shows its own button; only that gives it. */
export function RulingForm({ runId, question }: RulingFormProps) {
  const [word, setWord] = useState<RulingWord | null>(null);
  const [output, setOutput] = useState("");
  const may = useMay("act");
  const rule = useRuling(runId, question.key);
  const parsed = parseJson(output);
  const given = word === "done" && output.trim() !== "";
  const chosen = answers.find((answer) => answer.word === word);
  const send = () => {
    if (word === null || (given && "mistake" in parsed)) return;
    rule.mutate({ word, ...(given && "value" in parsed && { output: parsed.value }) });
  };
  return (
    <form
      className="min-w-0 space-y-2.5 px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <fieldset disabled={!may || rule.isPending} className="min-w-0 space-y-2.5">
        <legend className="mb-2.5 font-medium">
          Look in {question.connection === "step" ? "the system that this step calls" : question.connection} whether it
          happened, then answer:
        </legend>
        {answers.map((answer) => (
          <Choice key={answer.word} {...answer} chosen={answer.word === word} onChoose={() => setWord(answer.word)}>
            {answer.word === "done" && (
              <OutputField
                text={output}
                onChange={setOutput}
                mistake={given && "mistake" in parsed ? parsed.mistake : null}
              />
            )}
          </Choice>
        ))}
      </fieldset>
      {rule.error && <ErrorNotice error={rule.error} />}
      <div className="flex flex-wrap items-center gap-3 pt-1">
        <Button
          type="submit"
          look="primary"
          data-testid="answer"
          busy={rule.isPending}
          disabled={!may || !chosen || (given && "mistake" in parsed)}
        >
          {chosen?.button ?? "Choose an answer"}
        </Button>
        <span className="text-xs text-ink-2">
          {may ? "Your name and the time are kept with the receipt." : "Your role may look, but not answer."}
        </span>
      </div>
    </form>
  );
}

function useRuling(runId: string, key: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (answer: Pick<Parameters<typeof api.rule>[1], "word" | "output">) =>
      api.rule(runId, { key, ...answer }),
    // Also after a refusal: somebody else may have answered meanwhile.
    onSettled: () =>
      Promise.all(
        ["run", "failures", "overview", "questions"].map((name) => client.invalidateQueries({ queryKey: [name] })),
      ),
  });
}

interface ChoiceProps {
  readonly word: RulingWord;
  readonly follows: string;
  readonly chosen: boolean;
  readonly onChoose: () => void;
  readonly children: React.ReactNode;
}

function Choice({ word, follows, chosen, onChoose, children }: ChoiceProps) {
  const id = useId();
  return (
    <div
      className={clsx(
        "rounded-md border px-3 py-2 has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-accent",
        chosen ? "border-accent bg-accent-soft/60" : "border-line-strong hover:bg-hover",
      )}
    >
      <label className="flex cursor-pointer items-start gap-2.5">
        <input
          type="radio"
          name="answer"
          value={word}
          checked={chosen}
          onChange={onChoose}
          aria-describedby={id}
          className="mt-[3px] size-3.5 shrink-0 accent-accent outline-none"
        />
        <span className="min-w-0">
          <span className="block font-medium">{rulingWords[word]}</span>
          <span id={id} className="block text-ink-2">
            {follows}
          </span>
        </span>
      </label>
      {chosen && children}
    </div>
  );
}

interface OutputFieldProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly mistake: string | null;
}

function OutputField({ text, onChange, mistake }: OutputFieldProps) {
  const id = useId();
  return (
    <div className="mt-2 ml-6">
      <label htmlFor={id} className="mb-1 block text-xs text-ink-2">
        What the step gave, as JSON, if later steps need it. Empty: null.
      </label>
      <textarea
        id={id}
        rows={3}
        spellCheck={false}
        value={text}
        placeholder='{ "id": "…" }'
        aria-invalid={mistake !== null}
        aria-describedby={`${id}-mistake`}
        onChange={(event) => onChange(event.currentTarget.value)}
        className="field-sizing-content block max-h-60 min-h-14 w-full resize-y rounded-md border border-line-input bg-surface px-2.5 py-1.5 text-xs/[18px] placeholder:text-ink-3 aria-invalid:border-fail"
      />
      <p id={`${id}-mistake`} role="status" className="mt-1.5 text-xs text-fail empty:hidden">
        {mistake !== null && `Not valid JSON: ${mistake}`}
      </p>
    </div>
  );
}
