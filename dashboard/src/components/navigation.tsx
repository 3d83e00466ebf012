import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Gauge, ListTree, OctagonX, Settings, Workflow } from "lucide-react";
import { clsx } from "clsx";
import { formatCount, plural } from "../format.ts";
import { failuresQuery } from "../queries.ts";

const places = [
  { to: "/", label: "Overview", icon: Gauge },
  { to: "/flows", label: "Flows", icon: Workflow },
  { to: "/runs", label: "Runs", icon: ListTree },
  { to: "/failures", label: "Failures", icon: OctagonX },
  { to: "/settings", label: "Settings", icon: Settings },
] as const;

const badgeClass =
  "ml-auto inline-flex h-[18px] min-w-[18px] items-center justify-center rounded-full px-1.5 text-xs/[18px] font-semibold text-surface tabular-nums max-md:absolute max-md:top-1 max-md:left-1/2 max-md:ml-1";

/** Kinds of failures, not runs: it is as many things as a person has to mend. */
function FailureCount() {
  const { data: groups = [] } = useQuery(failuresQuery);
  const failed = groups.filter(({ status }) => status === "failed");
  const runs = failed.reduce((sum, { count }) => sum + count, 0);
  if (failed.length === 0) return null;
  return (
    <span
      title={`${plural(failed.length, "kind")} of failure, in ${plural(runs, "run")}`}
      className={clsx(badgeClass, "bg-fail")}
    >
      {formatCount(failed.length)}
      <span className="sr-only"> kinds of failure</span>
    </span>
  );
}

/** Runs in doubt: each asks a question of its own. */
function QuestionCount() {
  const { data: groups = [] } = useQuery(failuresQuery);
  const count = groups.reduce((sum, group) => sum + (group.status === "in_doubt" ? group.count : 0), 0);
  if (count === 0) return null;
  return (
    <span title={`${plural(count, "run asks", "runs ask")} a question`} className={clsx(badgeClass, "bg-doubt")}>
      {formatCount(count)}?<span className="sr-only"> ask a question</span>
    </span>
  );
}

/** The places of the dashboard: a list in the rail, a bar at the bottom of a phone. */
export function Navigation({ bar = false }: { readonly bar?: boolean }) {
  return (
    <nav aria-label="Main" className={bar ? "grid grid-cols-5" : "flex flex-col gap-0.5 px-2"}>
      {places.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === "/" }}
          className={clsx(
            "relative flex items-center text-ink-2 transition-colors",
            bar
              ? "h-14 flex-col justify-center gap-1 text-xs"
              : "h-8 gap-2.5 rounded-md px-2.5 hover:bg-hover hover:text-ink",
          )}
          activeProps={{ className: bar ? "!text-accent font-medium" : "!bg-hover !text-ink font-medium" }}
        >
          <Icon size={bar ? 18 : 16} strokeWidth={1.75} className="shrink-0" />
          {label}
          {to === "/runs" && <QuestionCount />}
          {to === "/failures" && <FailureCount />}
        </Link>
      ))}
    </nav>
  );
}
