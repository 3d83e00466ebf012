import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Gauge, ListTree, Settings, Workflow } from "lucide-react";
import { clsx } from "clsx";
import { overviewQuery } from "../queries.ts";

const places = [
  { to: "/", label: "Overview", icon: Gauge },
  { to: "/flows", label: "Flows", icon: Workflow },
  { to: "/runs", label: "Runs", icon: ListTree },
  { to: "/settings", label: "Settings", icon: Settings },
] as const;

/** The server lists at most this many runs that need a person. */
const listedAtMost = 20;

function AttentionCount() {
  const { data } = useQuery(overviewQuery);
  const count = data?.needsAttention.length ?? 0;
  if (count === 0) return null;
  return (
    <span
      title={`${count} failed or in doubt`}
      className="ml-auto inline-flex h-[18px] min-w-[18px] items-center justify-center rounded-full bg-fail px-1.5 text-xs/[18px] font-semibold text-surface tabular-nums max-md:absolute max-md:top-1 max-md:left-1/2 max-md:ml-1"
    >
      {count >= listedAtMost ? `${listedAtMost}+` : count}
      <span className="sr-only"> need a person</span>
    </span>
  );
}

/** The places of the dashboard: a list in the rail, a bar at the bottom of a phone. */
export function Navigation({ bar = false }: { readonly bar?: boolean }) {
  return (
    <nav aria-label="Main" className={bar ? "grid grid-cols-4" : "flex flex-col gap-0.5 px-2"}>
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
          {to === "/runs" && <AttentionCount />}
        </Link>
      ))}
    </nav>
  );
}
