import { Link } from "@tanstack/react-router";
import { ShieldOff } from "lucide-react";
import type { FlowView } from "../api.ts";
import { formatCount, formatDuration, formatMinutes } from "../format.ts";
import { CopyButton } from "./copy-button.tsx";
import { StatusIcon } from "./status.tsx";
import { RelativeTime } from "./time.tsx";

export const totalRuns = (flow: FlowView): number => Object.values(flow.counts).reduce((sum, count) => sum + count, 0);
const troubled = (flow: FlowView): number => (flow.counts.failed ?? 0) + (flow.counts.in_doubt ?? 0);

/** How a trigger proves its sender, or a clear word that it does not. */
export function Scheme({ scheme }: { readonly scheme: string | null }) {
  if (scheme !== null) return <span className="text-ink-2">signed: {scheme}</span>;
  return (
    <span
      className="inline-flex items-center gap-1.5 font-medium text-doubt"
      title="The flow allows unsigned deliveries."
    >
      <ShieldOff size={13} aria-hidden="true" />
      anyone may call
    </span>
  );
}

/** Flows with their addresses and figures. `brief` leaves the addresses out. */
export function FlowList({ flows, brief = false }: { readonly flows: readonly FlowView[]; readonly brief?: boolean }) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full">
        <thead>
          <tr className="h-8 border-b border-line text-left text-xs whitespace-nowrap text-ink-3">
            <th className="pl-4 font-medium">Flow</th>
            {!brief && <th className="px-3 font-medium max-lg:hidden">Address</th>}
            <th className="px-3 text-right font-medium">Runs</th>
            <th className="px-3 text-right font-medium">Failed</th>
            <th className="px-3 text-right font-medium max-sm:hidden">Median</th>
            <th className="px-3 text-right font-medium max-sm:hidden">Saved per run</th>
            <th className="pr-4 pl-3 text-right font-medium">Last run</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {flows.map((flow) => (
            <FlowRow key={flow.name} flow={flow} brief={brief} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function FlowRow({ flow, brief }: { readonly flow: FlowView; readonly brief: boolean }) {
  const failed = troubled(flow);
  return (
    <tr className={brief ? "h-8 hover:bg-hover" : "hover:bg-hover"}>
      <td className={brief ? "pl-4" : "py-2.5 pl-4 align-top"}>
        <Link to="/flows/$name" params={{ name: flow.name }} className="font-medium text-accent hover:underline">
          {flow.name}
        </Link>
        {!brief && (
          <>
            <p className="max-w-[44ch] text-ink-2 max-sm:hidden">{flow.description}</p>
            <div className="lg:hidden">
              <Address flow={flow} short />
            </div>
          </>
        )}
      </td>
      {!brief && (
        <td className="px-3 py-2 align-top max-lg:hidden">
          <Address flow={flow} />
        </td>
      )}
      <FigureCells flow={flow} failed={failed} padded={!brief} />
    </tr>
  );
}

interface AddressProps {
  readonly flow: FlowView;
  /** Where there is no room for the whole address; the whole one is copied. */
  readonly short?: boolean;
}

/** How a flow without an address is started. */
export const calledBy = "Started by the API, the command line or another flow";

function Address({ flow: { trigger }, short = false }: AddressProps) {
  if (trigger.kind === "call") return <span className="text-ink-2">{calledBy}</span>;
  return (
    <>
      <div className="flex items-center gap-1">
        <code className="text-xs break-all">{short ? `/hooks/${trigger.path}` : trigger.url}</code>
        <CopyButton text={trigger.url} label="Copy the address" />
      </div>
      <Scheme scheme={trigger.scheme} />
    </>
  );
}

function FigureCells({
  flow,
  failed,
  padded,
}: {
  readonly flow: FlowView;
  readonly failed: number;
  readonly padded: boolean;
}) {
  const cell = `px-3 text-right tabular-nums whitespace-nowrap ${padded ? "py-2.5 align-top" : ""}`;
  return (
    <>
      <td className={cell}>{formatCount(totalRuns(flow))}</td>
      <td className={cell}>
        {failed === 0 ? (
          <span className="text-ink-3">0</span>
        ) : (
          <Link
            to="/runs"
            search={{ flow: flow.name, status: "failed,in_doubt" }}
            className="inline-flex items-center gap-1.5 font-medium text-fail hover:underline"
          >
            <StatusIcon status="failed" size={12} />
            {formatCount(failed)}
          </Link>
        )}
      </td>
      <td className={`${cell} max-sm:hidden`}>
        {flow.medianMs === null ? <span className="text-ink-3">–</span> : formatDuration(flow.medianMs)}
      </td>
      <td className={`${cell} max-sm:hidden`}>{formatMinutes(flow.minutesSaved)}</td>
      <td className={`${cell} pr-4 text-ink-2`}>{flow.lastRunAt ? <RelativeTime at={flow.lastRunAt} /> : "never"}</td>
    </>
  );
}
