import { clsx } from "clsx";
import { useId, type ComponentProps, type ReactNode } from "react";

const inputClass =
  "h-9 w-full rounded-md border border-line-input bg-surface px-2.5 text-base placeholder:text-ink-3 focus-visible:border-accent";

interface FieldProps extends ComponentProps<"input"> {
  readonly label: string;
  /** Stands under the input: a rule to know before, or what is wrong. */
  readonly note?: ReactNode;
}

/** A labelled line of text. */
export function Field({ label, note, className, ...rest }: FieldProps) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      <input id={id} aria-describedby={`${id}-note`} {...rest} className={clsx(inputClass, className)} />
      <div id={`${id}-note`} className="text-xs text-ink-2">
        {note}
      </div>
    </div>
  );
}

/** A native choice, in the look of the other inputs. */
export function Select({ label, className, ...rest }: ComponentProps<"select"> & { readonly label: string }) {
  return (
    <select
      aria-label={label}
      {...rest}
      className={clsx("h-8 rounded-md border border-line-input bg-surface px-2 text-sm", className)}
    />
  );
}
