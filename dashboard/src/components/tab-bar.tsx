import { clsx } from "clsx";
import type { ReactNode } from "react";

/** A row of links, one of which is where the reader is. */
export function TabBar({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <nav aria-label={label} className="flex max-w-full overflow-x-auto rounded-md border border-line bg-surface p-0.5">
      {children}
    </nav>
  );
}

/** The look of a link in a {@link TabBar}. */
export const tabClass = (isHere: boolean): string =>
  clsx(
    "flex h-[26px] items-center rounded-[4px] px-2.5 whitespace-nowrap first-letter:uppercase",
    isHere ? "bg-hover font-medium" : "text-ink-2 hover:text-ink",
  );
