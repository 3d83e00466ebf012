import type { ReceiptView, RulingView } from "../api.ts";
import { formatClock, formatDuration, formatExact, plural } from "../format.ts";
import { connectionName, receiptWords, rulingWords } from "../words.ts";
import { Badge } from "./badge.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Digest, Facts } from "./facts.tsx";
import { JsonView } from "./json-view.tsx";
import { Caption } from "./panel.tsx";

const tones = { intent: "wait", done: "ok", not_done: "fail", unknown: "doubt" } as const;

const effectWords = {
  read: "reads only",
  write: "writes; a repeat with the same key does not double it, or it can be undone",
  irreversible: "cannot be taken back; runs at most once",
} as const;

/** The receipt of an effect: what was asked of another system, and what is known to have happened. */
export function ReceiptDetail({ receipt }: { readonly receipt: ReceiptView }) {
  const { label, meaning } = receiptWords[receipt.state];
  return (
    <section className="overflow-hidden rounded-md border border-line bg-surface">
      <header className="flex min-h-9 flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-3 py-1">
        <h3 className="font-medium">Effect receipt</h3>
        <code className="text-xs">{receipt.action}</code>
        <Badge tone={tones[receipt.state]}>{label}</Badge>
        <span className="text-ink-2">{receipt.ruling ? "A person answered for it." : meaning}</span>
      </header>
      {receipt.ruling && <Ruling ruling={receipt.ruling} />}
      <div className="space-y-3 px-3 pt-2 pb-3">
        <Facts
          facts={[
            { name: "Connection", value: connectionName(receipt.connection) },
            { name: "Sent", value: plural(receipt.attempts, "time") },
            {
              name: "Took",
              value: receipt.finishedAt
                ? formatDuration(Date.parse(receipt.finishedAt) - Date.parse(receipt.startedAt))
                : "unfinished",
            },
            { name: "Idempotency key", value: <Key text={receipt.key} /> },
            { name: "Digest", value: <Digest text={receipt.requestDigest} /> },
          ]}
        />
        <p className="text-xs text-ink-2">This action {effectWords[receipt.effect]}.</p>
        <div className="grid gap-3 lg:grid-cols-2">
          <div className="min-w-0">
            <Caption>Request</Caption>
            <JsonView value={receipt.request} label="request" />
          </div>
          <div className="min-w-0">
            <Caption>Response</Caption>
            {receipt.response === null ? (
              <p className="text-ink-3">No answer is recorded.</p>
            ) : (
              <JsonView value={receipt.response} label="response" />
            )}
          </div>
        </div>
      </div>
    </section>
  );
}

/** Who said what about an effect in doubt, and when. */
function Ruling({ ruling: { word, by, byName, at } }: { readonly ruling: RulingView }) {
  return (
    <p data-testid="ruling" className="border-b border-line bg-accent-soft/60 px-3 py-2">
      <span className="font-medium">“{rulingWords[word]}”</span>, said{" "}
      {by === null ? "at the command line" : `by ${byName ?? by}`} at{" "}
      <span title={formatExact(at)}>{formatClock(at, Date.now())}</span>.
    </p>
  );
}

function Key({ text }: { readonly text: string }) {
  return (
    <span className="flex h-5 items-center">
      <Digest text={text} />
      <CopyButton text={text} label="Copy the idempotency key" />
    </span>
  );
}
