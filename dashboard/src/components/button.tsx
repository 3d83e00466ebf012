import { clsx } from "clsx";
import type { ComponentProps } from "react";

type Look = "primary" | "plain" | "quiet" | "danger";

const looks: { readonly [look in Look]: string } = {
  primary: "bg-accent text-accent-ink hover:bg-accent-hover font-medium",
  plain: "border border-line-strong bg-surface hover:bg-hover",
  quiet: "text-ink-2 hover:bg-hover hover:text-ink",
  danger: "border border-line-strong bg-surface text-fail hover:bg-fail-soft hover:border-fail",
};

interface ButtonProps extends ComponentProps<"button"> {
  readonly look?: Look;
  /** Shows that the click is being carried out, and takes no other. */
  readonly busy?: boolean;
}

export const buttonClass = (look: Look = "plain"): string =>
  clsx(
    "inline-flex h-8 shrink-0 items-center justify-center gap-1.5 rounded-md px-3 text-sm whitespace-nowrap transition-colors",
    "disabled:cursor-not-allowed disabled:opacity-55",
    looks[look],
  );

export function Button({ look = "plain", busy = false, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || busy}
      aria-busy={busy}
      className={clsx(buttonClass(look), className)}
    >
      {busy && <BusyMark />}
      {children}
    </button>
  );
}

function BusyMark() {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" className="turning">
      <path d="M6 1a5 5 0 1 1-4.6 3" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
    </svg>
  );
}

/** A square button with an icon only; `label` is read aloud and shown on hover. */
export function IconButton({ label, className, ...rest }: ComponentProps<"button"> & { readonly label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={clsx(
        "relative inline-flex size-7 shrink-0 items-center justify-center rounded-md text-ink-3 transition-colors hover:bg-hover hover:text-ink",
        className,
      )}
    />
  );
}
