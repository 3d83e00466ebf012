import { clsx } from "clsx";
import type { ReactNode } from "react";
import { useTabName } from "../tab-name.ts";

interface PanelProps {
  readonly title?: ReactNode;
  /** Stands at the right of the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A titled surface. */
export function Panel({ title, aside, children, className }: PanelProps) {
  return (
    <section className={clsx("min-w-0 overflow-hidden rounded-lg border border-line bg-surface", className)}>
      {title !== undefined && (
        <header className="flex min-h-10 items-center justify-between gap-3 border-b border-line px-4 py-1">
          <h2 className="flex items-center gap-2 font-medium">{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

interface PageProps {
  readonly title: ReactNode;
  /** What the browser's tab is called. Default: the title, where it is text. */
  readonly name?: string;
  /** A line under the title. */
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of a page: its heading, what can be done, and its contents. */
export function Page({ title, name, lead, actions, children }: PageProps) {
  useTabName(name ?? (typeof title === "string" ? title : undefined));
  return (
    <div className="mx-auto flex w-full max-w-[1360px] flex-col gap-4 px-4 py-4 md:px-8 md:py-6">
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-[1_1_320px]">
          <h1 className="flex min-h-8 flex-wrap items-center gap-2 text-xl font-semibold tracking-[-0.01em]">
            {title}
          </h1>
          {lead !== undefined && <div className="mt-0.5 max-w-[96ch] text-ink-2">{lead}</div>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2 empty:hidden">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A small caption over a piece of data. */
export const Caption = ({ children }: { readonly children: ReactNode }) => (
  <div className="flex min-h-7 items-center gap-2 text-xs font-medium text-ink-3">{children}</div>
);

/** What stands where nothing is yet, with what to do next. */
export function EmptyState({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-1 px-6 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="max-w-[56ch] text-ink-2">{children}</div>}
    </div>
  );
}

/** Grey rows while data is on its way. */
export function SkeletonRows({ rows = 6 }: { readonly rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="divide-y divide-line">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex h-8 items-center gap-6 px-4">
          <span className="skeleton h-3 w-24" />
          <span className="skeleton h-3 flex-1" style={{ maxWidth: `${28 + ((row * 37) % 40)}%` }} />
        </div>
      ))}
    </div>
  );
}
