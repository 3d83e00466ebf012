import { clsx } from "clsx";
import type { ReactNode } from "react";

/** A named piece of data; a list of them is a `dl`. */
export interface Fact {
  readonly name: string;
  readonly value: ReactNode;
}

/** Facts in a grid: as many columns as have room. */
export function Facts({ facts, className }: { readonly facts: readonly Fact[]; readonly className?: string }) {
  return (
    <dl className={clsx("grid grid-cols-[repeat(auto-fit,minmax(100px,1fr))] gap-x-6 gap-y-2.5", className)}>
      {facts.map(({ name, value }) => (
        <div key={name} className="min-w-0">
          <dt className="text-xs text-ink-3">{name}</dt>
          <dd className="break-words tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A digest or key, shortened in the middle of nothing: its start, and whole on hover. */
export function Digest({ text }: { readonly text: string }) {
  return (
    <code title={text} className="block truncate text-xs leading-5">
      {text}
    </code>
  );
}
