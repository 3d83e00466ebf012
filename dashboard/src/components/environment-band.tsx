import { useQuery } from "@tanstack/react-query";
import { statusQuery } from "../queries.ts";
import { Badge } from "./badge.tsx";

/** Says on every page that this is not the real thing, while it is not. */
export function EnvironmentBand() {
  const { data } = useQuery(statusQuery);
  const simulated = data?.models.filter((model) => model.simulated) ?? [];
  if (!data || (!data.sandbox && simulated.length === 0)) return null;
  const all = simulated.length === data.models.length;
  return (
    <div className="flex min-h-8 flex-wrap items-center gap-x-5 gap-y-1 border-b border-line bg-doubt-soft/60 px-4 py-1 text-xs text-ink-2 md:px-8">
      {data.sandbox && (
        <span className="flex items-center gap-2">
          <Badge tone="doubt">SANDBOX</Badge>
          <span className="max-sm:hidden">Outside systems are local stand-ins; nothing leaves this machine.</span>
        </span>
      )}
      {simulated.length > 0 && (
        <span className="flex items-center gap-2">
          <Badge tone="doubt">SIMULATED model</Badge>
          <span className={all ? "max-lg:hidden" : undefined}>
            {all
              ? "Answers follow fixed rules; no provider is asked."
              : `Only under the name ${simulated.map(({ name }) => name).join(", ")}; the other models are real.`}
          </span>
        </span>
      )}
    </div>
  );
}
