import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import {
  BookLock,
  CircleDollarSign,
  Ellipsis,
  Gauge,
  type LucideIcon,
  ListTree,
  OctagonX,
  Settings,
  Waypoints,
  Workflow,
} from "lucide-react";
import { clsx } from "clsx";
import { useRef } from "react";
import { formatCount, plural } from "../format.ts";
import { failuresQuery, questionsQuery } from "../queries.ts";

interface Place {
  readonly to: "/" | "/flows" | "/runs" | "/failures" | "/models" | "/costs" | "/ledger" | "/settings";
  readonly label: string;
  readonly icon: LucideIcon;
}

/** What is open all day; on a phone these have the room of the bar. */
const mainPlaces: readonly Place[] = [
  { to: "/", label: "Overview", icon: Gauge },
  { to: "/flows", label: "Flows", icon: Workflow },
  { to: "/runs", label: "Runs", icon: ListTree },
  { to: "/failures", label: "Failures", icon: OctagonX },
];

const otherPlaces: readonly Place[] = [
  { to: "/models", label: "Models", icon: Waypoints },
  { to: "/costs", label: "Costs", icon: CircleDollarSign },
  { to: "/ledger", label: "Ledger", icon: BookLock },
  { to: "/settings", label: "Settings", icon: Settings },
];

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

/** What runs ask people. */
function QuestionCount() {
  const { data } = useQuery(questionsQuery);
  const count = data?.items.length ?? 0;
  if (count === 0) return null;
  return (
    <span
      title={`${data?.next ? "More than " : ""}${plural(count, "question waits", "questions wait")} for a person`}
      className={clsx(badgeClass, "bg-doubt")}
    >
      {formatCount(count)}?<span className="sr-only"> questions wait for a person</span>
    </span>
  );
}

/** The places of the dashboard: a list in the rail, a bar at the bottom of a phone. */
export function Navigation({ bar = false }: { readonly bar?: boolean }) {
  if (bar) return <Bar />;
  return (
    <nav aria-label="Main" className="flex flex-col gap-0.5 px-2">
      {mainPlaces.map((place) => (
        <PlaceLink key={place.to} place={place} className={railClass} activeClass="!bg-hover !text-ink font-medium" />
      ))}
      <hr className="mx-2.5 my-2 border-line" />
      {otherPlaces.map((place) => (
        <PlaceLink key={place.to} place={place} className={railClass} activeClass="!bg-hover !text-ink font-medium" />
      ))}
    </nav>
  );
}

const railClass = "h-8 gap-2.5 rounded-md px-2.5 hover:bg-hover hover:text-ink";
const barClass = "h-14 flex-col justify-center gap-1 text-xs";

interface PlaceLinkProps {
  readonly place: Place;
  readonly className: string;
  readonly activeClass: string;
  readonly iconSize?: number;
  readonly onClick?: () => void;
}

function PlaceLink({
  place: { to, label, icon: Icon },
  className,
  activeClass,
  iconSize = 16,
  onClick,
}: PlaceLinkProps) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: to === "/", includeSearch: false }}
      className={clsx("relative flex items-center text-ink-2 transition-colors", className)}
      activeProps={{ className: activeClass }}
      onClick={onClick}
    >
      <Icon size={iconSize} strokeWidth={1.75} className="shrink-0" />
      {label}
      {to === "/runs" && <QuestionCount />}
      {to === "/failures" && <FailureCount />}
    </Link>
  );
}

/** Four places and a way to the others, which open above the bar. */
function Bar() {
  const more = useRef<HTMLDivElement>(null);
  const { pathname } = useLocation();
  const isThere = otherPlaces.some(({ to }) => pathname.startsWith(to));
  return (
    <nav aria-label="Main" className="grid grid-cols-5">
      {mainPlaces.map((place) => (
        <PlaceLink
          key={place.to}
          place={place}
          className={barClass}
          activeClass="!text-accent font-medium"
          iconSize={18}
        />
      ))}
      <button
        type="button"
        popoverTarget="more-places"
        className={clsx("flex items-center", barClass, isThere ? "font-medium text-accent" : "text-ink-2")}
      >
        <Ellipsis size={18} strokeWidth={1.75} className="shrink-0" />
        More
      </button>
      <div
        ref={more}
        id="more-places"
        popover="auto"
        className="fixed inset-auto right-2 bottom-[calc(64px+env(safe-area-inset-bottom))] m-0 w-52 rounded-xl border border-line bg-surface p-1.5 text-ink shadow-[var(--shadow)]"
      >
        {otherPlaces.map((place) => (
          <PlaceLink
            key={place.to}
            place={place}
            className="h-11 gap-3 rounded-md px-3"
            activeClass="!text-accent font-medium"
            iconSize={18}
            onClick={() => more.current?.hidePopover()}
          />
        ))}
      </div>
    </nav>
  );
}
