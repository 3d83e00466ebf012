import { Link } from "@tanstack/react-router";
import { ChevronRight, CornerDownLeft, Send, UserRound, X } from "lucide-react";
import { clsx } from "clsx";
import { useState } from "react";
import type { LedgerEntryView } from "../api.ts";
import { formatCount, shortId } from "../format.ts";
import { entryWords, type EntryWords } from "../ledger-words.ts";
import { Badge, SimulatedBadge } from "./badge.tsx";
import { CopyButton } from "./copy-button.tsx";
import { JsonView } from "./json-view.tsx";
import { RelativeTime } from "./time.tsx";

const icons: { readonly [tone in EntryWords["tone"]]: { readonly icon: typeof Send; readonly tone: string } } = {
  sent: { icon: Send, tone: "text-accent" },
  ok: { icon: CornerDownLeft, tone: "text-ok" },
  failed: { icon: X, tone: "text-fail" },
  person: { icon: UserRound, tone: "text-wait" },
};

/** Entries of the ledger, the newest first. Each opens to its digests and all its facts. */
export function LedgerEntries({ entries }: { readonly entries: readonly LedgerEntryView[] }) {
  return (
    <ol className="divide-y divide-line">
      {entries.map((entry) => (
        <LedgerEntry key={entry.seq} entry={entry} />
      ))}
    </ol>
  );
}

function LedgerEntry({ entry }: { readonly entry: LedgerEntryView }) {
  const [open, setOpen] = useState(false);
  const { what, subject, details, tone, region, simulated } = entryWords(entry);
  const { icon: Icon, tone: color } = icons[tone];
  return (
    <li data-testid="ledger-entry" data-kind={entry.kind} data-seq={entry.seq}>
      <div
        className={clsx(
          "grid min-h-8 cursor-pointer grid-cols-[auto_minmax(0,1fr)_auto] items-start gap-x-2.5 px-4 py-1.5 hover:bg-hover md:grid-cols-[auto_minmax(0,1fr)_80px_80px_64px]",
          open && "bg-hover",
        )}
        onClick={(event) => {
          const onLink = event.target instanceof Element && event.target.closest("a") !== null;
          const selecting = window.getSelection()?.isCollapsed === false;
          if (!onLink && !selecting) setOpen(!open);
        }}
      >
        <button
          type="button"
          aria-expanded={open}
          aria-label={`Entry ${entry.seq}: ${what}`}
          className="flex items-center gap-2 pt-[3px]"
        >
          <ChevronRight size={14} className={clsx("-ml-1 text-ink-3 transition-transform", open && "rotate-90")} />
          <Icon size={14} strokeWidth={1.75} aria-hidden="true" className={color} />
        </button>
        <div className="grid min-w-0 gap-x-4 lg:grid-cols-[272px_minmax(0,1fr)]">
          <p className="flex min-w-0 flex-wrap items-center gap-x-2 self-start">
            <span className="font-medium">{what}</span>
            {subject !== null && <code className="text-xs break-all">{subject}</code>}
            {region !== null && <Badge>{region}</Badge>}
            {simulated && <SimulatedBadge />}
          </p>
          <p className="break-words text-ink-2 tabular-nums">{details.join("; ")}</p>
        </div>
        <span className="text-right max-md:hidden">
          {entry.runId !== null && (
            <Link
              to="/runs/$id"
              params={{ id: entry.runId }}
              title={`Run ${entry.runId}`}
              className="font-mono text-xs text-accent hover:underline"
            >
              {shortId(entry.runId)}
            </Link>
          )}
        </span>
        <span className="text-right text-ink-2">
          <RelativeTime at={entry.at} />
        </span>
        <span className="text-right text-ink-3 tabular-nums max-md:hidden" title="Number of the entry">
          {formatCount(entry.seq)}
        </span>
      </div>
      {open && <EntryDetail entry={entry} />}
    </li>
  );
}

function EntryDetail({ entry }: { readonly entry: LedgerEntryView }) {
  return (
    <div className="space-y-3 border-t border-line bg-sunken px-4 py-3 md:pl-12">
      <dl className="grid gap-x-6 gap-y-1 sm:grid-cols-[auto_minmax(0,1fr)]">
        <dt className="text-xs/5 text-ink-3">Entry</dt>
        <dd className="tabular-nums">
          {formatCount(entry.seq)}, <code className="text-xs">{entry.kind}</code>
        </dd>
        {entry.runId !== null && (
          <>
            <dt className="text-xs/5 text-ink-3">Run</dt>
            <dd className="break-all">
              <Link
                to="/runs/$id"
                params={{ id: entry.runId }}
                className="font-mono text-xs text-accent hover:underline"
              >
                {entry.runId}
              </Link>
            </dd>
          </>
        )}
        {entry.ref !== null && <Digest name="AI call" text={entry.ref} />}
        {entry.digest !== null && <Digest name="Digest of the content" text={entry.digest} />}
        <Digest name="Hash of the entry" text={entry.hash} />
      </dl>
      <JsonView value={entry.data} label="facts" className="bg-surface" />
    </div>
  );
}

function Digest({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <>
      <dt className="text-xs/5 text-ink-3">{name}</dt>
      <dd className="flex min-w-0 items-start gap-1">
        <code className="min-w-0 text-xs/5 break-all">{text}</code>
        <span className="-my-1">
          <CopyButton text={text} label={`Copy: ${name}`} />
        </span>
      </dd>
    </>
  );
}
