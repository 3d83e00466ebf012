import type { ReactNode } from "react";
import { useTabName } from "../tab-name.ts";
import { SluiceMark } from "./sluice-mark.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";

interface EntranceProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of the pages before the door: signing in and the first account. */
export function Entrance({ title, lead, children }: EntranceProps) {
  useTabName(title);
  return (
    <main className="flex min-h-dvh flex-col px-4">
      <div className="flex justify-end py-3">
        <ThemeToggle />
      </div>
      <div className="mx-auto my-auto w-full max-w-[360px] pb-[12vh]">
        <div className="mb-8 flex items-center gap-3 text-xl font-semibold tracking-[-0.015em]">
          <SluiceMark size={28} />
          Sluice
        </div>
        <h1 className="text-lg font-semibold">{title}</h1>
        {lead !== undefined && <p className="mt-1 text-ink-2">{lead}</p>}
        <div className="mt-5">{children}</div>
      </div>
    </main>
  );
}
