import type { RunDetailView } from "../api.ts";
import { formatClock, formatExact, plural } from "../format.ts";
import { SampleBadge } from "./badge.tsx";
import { CopyButton } from "./copy-button.tsx";
import { JsonView } from "./json-view.tsx";
import { Panel } from "./panel.tsx";

/** The delivery that started a run. */
export function RunEvent({ event }: { readonly event: RunDetailView["event"] }) {
  return (
    <Panel title={<>What came in {event.sample && <SampleBadge />}</>}>
      <div className="space-y-2.5 px-4 py-3">
        <Row name="From">
          {event.source === "run" ? "another run" : <code className="text-xs">{event.source}</code>}
        </Row>
        <Row name="Received">
          <span title={formatExact(event.receivedAt)}>{formatClock(event.receivedAt, Date.now())}</span>
        </Row>
        <Row name="Delivery id">
          {event.deliveryId === null ? (
            <span className="text-ink-3">told by its contents</span>
          ) : (
            <span className="flex h-5 min-w-0 items-center">
              <code title={event.deliveryId} className="truncate text-xs">
                {event.deliveryId}
              </code>
              <CopyButton text={event.deliveryId} label="Copy the delivery id" />
            </span>
          )}
        </Row>
        <Row name="Duplicates">
          {event.duplicates === 0 ? (
            "none"
          ) : (
            <span>
              {plural(event.duplicates, "repeat")} suppressed
              {event.lastDuplicateAt && (
                <span title={formatExact(event.lastDuplicateAt)}>
                  , the last at {formatClock(event.lastDuplicateAt, Date.now())}
                </span>
              )}
            </span>
          )}
        </Row>
        <JsonView value={event.payload} label="payload" />
      </div>
    </Panel>
  );
}

function Row({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div className="grid grid-cols-[88px_minmax(0,1fr)] gap-3">
      <span className="text-ink-3">{name}</span>
      {children}
    </div>
  );
}
