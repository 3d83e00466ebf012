import { Search } from "lucide-react";
import { useEffect, useRef, type KeyboardEvent } from "react";

interface FilterInputProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onEnter?: () => void;
}

/** A filter that `/` brings the focus to, and Esc empties. */
export function FilterInput({ label, value, onChange, onEnter }: FilterInputProps) {
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.closest("input, textarea, select, dialog") !== null;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      ref.current?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") onEnter?.();
    if (event.key !== "Escape") return;
    onChange("");
    event.currentTarget.blur();
  };
  return (
    <div className="relative w-64 max-w-full">
      <Search size={14} aria-hidden="true" className="absolute top-[9px] left-2.5 text-ink-3" />
      <input
        ref={ref}
        type="search"
        aria-label={label}
        aria-keyshortcuts="/"
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        className="h-8 w-full rounded-md border border-line-input bg-surface pr-7 pl-8 placeholder:text-ink-3 focus-visible:border-accent [&::-webkit-search-cancel-button]:hidden"
      />
      {value === "" && (
        <kbd
          aria-hidden="true"
          className="absolute top-[7px] right-2 rounded border border-line px-1 text-xs/4 text-ink-3 max-md:hidden"
        >
          /
        </kbd>
      )}
    </div>
  );
}
