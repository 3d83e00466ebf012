import { useQuery } from "@tanstack/react-query";
import { statusQuery } from "../queries.ts";
import { Badge } from "./badge.tsx";

/** Says on every page that this is not the real thing, while it is not. */
export function EnvironmentBand() {
  const { data } = useQuery(statusQuery);
  const simulated = data?.models.some((model) => model.simulated) ?? false;
  if (!data || (!data.sandbox && !simulated)) return null;
  return (
    <div className="flex min-h-8 flex-wrap items-center gap-x-5 gap-y-1 border-b border-line bg-doubt-soft/60 px-4 py-1 text-xs text-ink-2 md:px-8">
      {data.sandbox && (
        <span className="flex items-center gap-2">
          <Badge tone="doubt">SANDBOX</Badge>
          <span className="max-sm:hidden">Outside systems are local stand-ins; nothing leaves this machine.</span>
        </span>
      )}
      {simulated && (
        <span className="flex items-center gap-2">
          <Badge tone="doubt">SIMULATED model</Badge>
          <span className="max-lg:hidden">Answers follow fixed rules; no provider is asked.</span>
        </span>
      )}
    </div>
  );
}
