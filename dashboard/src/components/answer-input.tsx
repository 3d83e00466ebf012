import { useId, useState } from "react";
import { valueOf, type AnswerField } from "../answer-fields.ts";
import { Select } from "./field.tsx";

interface AnswerInputProps {
  readonly field: AnswerField;
  readonly text: string;
  readonly onChange: (text: string) => void;
}

const textClass =
  "w-full rounded-md border border-line-input bg-surface px-2.5 placeholder:text-ink-3 focus-visible:border-accent aria-invalid:border-fail";

/** An input for one field of a schema, with its rules, and with what is wrong once it was left. */
export function AnswerInput({ field, text, onChange }: AnswerInputProps) {
  const id = useId();
  // What is wrong with what the model said shows at once; what is still to be written, once it was left.
  const [left, setLeft] = useState(text !== "");
  const read = valueOf(field, text);
  const mistake = left && "mistake" in read ? read.mistake : null;
  const about = [field.required ? "" : "optional", ...field.rules].filter(Boolean).join(", ");
  return (
    <div onBlur={() => setLeft(true)}>
      <div className="mb-1 flex flex-wrap items-baseline gap-x-2">
        <label htmlFor={id} className="font-medium">
          {field.name}
        </label>
        {about !== "" && <span className="text-xs text-ink-2">{about}</span>}
      </div>
      <Input id={id} field={field} text={text} invalid={mistake !== null} onChange={onChange} />
      {field.description !== undefined && <p className="mt-0.5 text-xs text-ink-2">{field.description}</p>}
      <p id={`${id}-mistake`} role="status" className="mt-0.5 text-xs text-fail empty:hidden">
        {mistake}
      </p>
    </div>
  );
}

interface InputProps extends AnswerInputProps {
  readonly id: string;
  readonly invalid: boolean;
}

function Input({ id, field, text, invalid, onChange }: InputProps) {
  const shared = { id, "aria-invalid": invalid, "aria-describedby": `${id}-mistake` };
  if (field.kind === "choice" || field.kind === "yes_no") {
    const options = field.kind === "choice" ? field.choices.map(optionOf) : yesAndNo;
    return (
      <Select
        {...shared}
        label={field.name}
        className="h-9 w-full"
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        <option value="">{field.required ? "Choose …" : "Leave it out"}</option>
        {options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
    );
  }
  if (field.kind === "number")
    return (
      <input
        {...shared}
        inputMode={field.isWhole ? "numeric" : "decimal"}
        autoComplete="off"
        value={text}
        className={`h-9 text-base tabular-nums ${textClass}`}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  return (
    <textarea
      {...shared}
      rows={field.kind === "json" ? 4 : 1}
      spellCheck={field.kind === "text"}
      value={text}
      className={`field-sizing-content block max-h-60 min-h-9 resize-y py-1.5 ${textClass} ${field.kind === "json" ? "text-xs/[18px]" : "!font-sans text-base"}`}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

const optionOf = (choice: AnswerField["choices"][number]) => ({
  value: JSON.stringify(choice),
  label: typeof choice === "string" ? choice : JSON.stringify(choice),
});

const yesAndNo = [
  { value: "true", label: "yes" },
  { value: "false", label: "no" },
];
