import { Link, useNavigate } from "@tanstack/react-router";
import type { FailureGroupView } from "../api.ts";
import { formatCount, toSentence } from "../format.ts";
import { StatusIcon } from "./status.tsx";
import { RelativeTime } from "./time.tsx";

/** Groups that ask a person first, then those that failed last. */
export const inOrder = (groups: readonly FailureGroupView[]): FailureGroupView[] =>
  groups.toSorted((a, b) => Number(b.status === "in_doubt") - Number(a.status === "in_doubt"));

/** Kinds of failures, each with how many runs stopped that way. */
export function FailureList({ groups }: { readonly groups: readonly FailureGroupView[] }) {
  return (
    <table className="w-full table-fixed">
      <thead>
        <tr className="h-8 border-b border-line text-left text-xs text-ink-3">
          <th className="pl-4 font-medium">Failure</th>
          <th className="w-[72px] px-3 text-right font-medium max-md:pr-4">Runs</th>
          <th className="w-[104px] px-3 text-right font-medium max-md:hidden">First</th>
          <th className="w-[108px] pr-4 pl-3 text-right font-medium max-md:hidden">Last</th>
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {groups.map((group) => (
          <FailureRow key={group.fingerprint} group={group} />
        ))}
      </tbody>
    </table>
  );
}

function FailureRow({ group }: { readonly group: FailureGroupView }) {
  const navigate = useNavigate();
  const to = { to: "/failures/$fingerprint", params: { fingerprint: group.fingerprint } } as const;
  return (
    <tr
      data-testid="failure"
      data-fingerprint={group.fingerprint}
      className="cursor-pointer hover:bg-hover"
      onClick={(event) => {
        const onLink = event.target instanceof Element && event.target.closest("a") !== null;
        const selecting = window.getSelection()?.isCollapsed === false;
        if (!onLink && !selecting) void navigate(to);
      }}
    >
      <td className="py-2 pl-4">
        <div className="flex min-w-0 items-start gap-2.5">
          <span className="pt-[3px]">
            <StatusIcon status={group.status} />
          </span>
          <div className="min-w-0">
            <Link
              {...to}
              title={group.message}
              className="line-clamp-2 font-medium break-words max-md:line-clamp-3 hover:underline"
            >
              {toSentence(group.message)}
            </Link>
            <p className="text-xs break-words text-ink-2 md:truncate">
              <span className="font-mono">{group.code}</span> in {group.flow}, {group.step ?? "the flow’s own code"}
              <span className="md:hidden">
                , last <RelativeTime at={group.lastAt} />
              </span>
            </p>
          </div>
        </div>
      </td>
      <td className="px-3 py-2 text-right align-top font-medium tabular-nums max-md:pr-4">
        {formatCount(group.count)}
      </td>
      <td className="px-3 py-2 text-right align-top text-ink-2 max-md:hidden">
        <RelativeTime at={group.firstAt} />
      </td>
      <td className="py-2 pr-4 pl-3 text-right align-top text-ink-2 max-md:hidden">
        <RelativeTime at={group.lastAt} />
      </td>
    </tr>
  );
}
