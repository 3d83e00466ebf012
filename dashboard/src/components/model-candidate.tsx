import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Play } from "lucide-react";
import type { GaugeView, ModelCandidateView } from "../api.ts";
import { formatCount, formatDay, formatDuration, formatExact, formatSince, formatTokens, plural } from "../format.ts";
import { gatewayApi } from "../gateway-api.ts";
import { modelsQuery } from "../gateway-queries.ts";
import { limitWords, rateLimitReason, windowWords } from "../gateway-words.ts";
import { useMay } from "../queries.ts";
import { Badge } from "./badge.tsx";
import { Button } from "./button.tsx";
import { CircuitState } from "./circuit-state.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { Gauge } from "./gauge.tsx";
import { RelativeTime, useNow } from "./time.tsx";

/** One model that a name stands for: what it is and costs, and how its key stands. */
export function ModelCandidate({ candidate }: { readonly candidate: ModelCandidateView }) {
  return (
    <div className="min-w-0 flex-1 space-y-2.5">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-1">
        <Name candidate={candidate} />
        {candidate.bucket !== null && <Circuit candidate={candidate} />}
      </div>
      <Gauges candidate={candidate} />
      <Standing candidate={candidate} />
      <RateLimits limits={candidate.recentRateLimits} />
    </div>
  );
}

function Name({ candidate }: { readonly candidate: ModelCandidateView }) {
  const { provider, model, region, kind, dataClasses } = candidate;
  return (
    <div className="min-w-0">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="font-medium">{provider}</span>
        <code className="text-xs break-all">{model}</code>
        {kind !== "text" && <Badge>{kind}</Badge>}
        {region !== null && <Badge title="Where the model runs, as configured">{region}</Badge>}
        {dataClasses.map((name) => (
          <Badge key={name} tone="accent" title={`May be sent data of the class “${name}”`}>
            {name}
          </Badge>
        ))}
      </div>
      <Price candidate={candidate} />
    </div>
  );
}

const usd = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 4 });

function Price({ candidate: { price, credential, bucket } }: { readonly candidate: ModelCandidateView }) {
  if (price === null)
    return bucket === null && credential === null ? null : (
      <p className="text-ink-2" title="Calls within a budget are refused unless the budget allows unknown prices.">
        Price unknown: give one in the configuration
      </p>
    );
  const { inputUsdPerMillion, outputUsdPerMillion, source, asOf } = price;
  return (
    <p className="text-ink-2">
      <span className="tabular-nums">
        ${usd.format(inputUsdPerMillion)} in, ${usd.format(outputUsdPerMillion)} out
      </span>{" "}
      per million tokens; {source === "own" ? "own price" : "price list"}
      {asOf !== null && ` of ${formatDay(asOf)}`}
    </p>
  );
}

function Circuit({ candidate }: { readonly candidate: ModelCandidateView }) {
  const { circuit, credential, bucket } = candidate;
  const client = useQueryClient();
  const may = useMay("act");
  // A refused key or an empty account stops all models of the key; a provider that is down, only this one.
  const name = circuit.reason === "unavailable" ? (bucket ?? credential) : (credential ?? bucket);
  const resume = useMutation({
    mutationFn: (which: string) => gatewayApi.resumeModels(which),
    onSettled: () => client.invalidateQueries({ queryKey: modelsQuery.queryKey }),
  });
  return (
    <div className="flex max-w-full flex-wrap items-center gap-x-3 gap-y-1.5">
      <CircuitState circuit={circuit} />
      {circuit.state !== "closed" && name !== null && (
        <Button
          data-testid="resume-circuit"
          disabled={!may}
          busy={resume.isPending}
          title="Lets calls through again at once"
          onClick={() => resume.mutate(name)}
        >
          <Play size={14} />
          Resume
        </Button>
      )}
      {resume.error && <ErrorNotice error={resume.error} />}
    </div>
  );
}

const share = (used: number, limit: number): number => (limit <= 0 ? 1 : used / limit);

function Gauges({ candidate }: { readonly candidate: ModelCandidateView }) {
  const { gauges, inFlight, concurrency, bucket } = candidate;
  if (bucket === null) return null;
  const all = gauges.length + (concurrency === null ? 0 : 1);
  if (all === 0)
    return (
      <p className="text-ink-2">
        No limit is configured, and none was learned from answers so far
        {inFlight > 0 && `; ${plural(inFlight, "call")} under way`}.
      </p>
    );
  return (
    <div className="grid grid-cols-1 gap-x-8 gap-y-2.5 sm:grid-cols-2 xl:grid-cols-3">
      {gauges.map((gauge) => (
        <LimitGauge key={`${gauge.kind} ${gauge.perMs}`} gauge={gauge} reserved={candidate.interactiveShare} />
      ))}
      {concurrency !== null && (
        <Gauge
          label="Under way at once"
          value={`${formatCount(inFlight)} of ${formatCount(concurrency)}`}
          share={share(inFlight, concurrency)}
        />
      )}
    </div>
  );
}

function LimitGauge({ gauge, reserved }: { readonly gauge: GaugeView; readonly reserved: number }) {
  const { kind, limit, used, perMs, learned } = gauge;
  return (
    <Gauge
      label={
        <>
          {limitWords[kind]} {windowWords(perMs)}
          {learned && <span className="text-ink-3">, learned</span>}
        </>
      }
      value={`${formatTokens(used)} of ${formatTokens(limit)}`}
      share={share(used, limit)}
      reserved={reserved}
      title={learned ? "Learned from the headers of answers; not in the configuration." : "As configured."}
    />
  );
}

/** What is out of the ordinary: a pause, calls that wait, an end in sight. */
function Standing({ candidate }: { readonly candidate: ModelCandidateView }) {
  const now = useNow();
  const { waiting, pausedUntil, forecast, inFlight, concurrency, gauges } = candidate;
  const told: React.ReactNode[] = [];
  if (pausedUntil !== null && Date.parse(pausedUntil) > now)
    told.push(
      <span key="paused" className="font-medium text-doubt" title={formatExact(pausedUntil)}>
        Paused by the provider, goes on in {formatDuration(Date.parse(pausedUntil) - now)}
      </span>,
    );
  if (waiting > 0)
    told.push(
      <span key="waiting" className="font-medium text-wait">
        {plural(waiting, "call waits", "calls wait")} for room
      </span>,
    );
  if (inFlight > 0 && concurrency === null && gauges.length > 0)
    told.push(<span key="flight">{plural(inFlight, "call")} under way</span>);
  if (forecast !== null)
    told.push(
      <span key="forecast" title={formatExact(forecast.endsAt)}>
        At this rate the limit of {limitWords[forecast.kind].toLowerCase()} ends at {formatSince(forecast.endsAt, now)}
      </span>,
    );
  if (told.length === 0) return null;
  return <p className="flex flex-wrap gap-x-6 gap-y-1 tabular-nums">{told}</p>;
}

function RateLimits({ limits }: { readonly limits: ModelCandidateView["recentRateLimits"] }) {
  if (limits.length === 0) return null;
  return (
    <details className="group">
      <summary className="text-ink-2 hover:text-ink">
        Asked to slow down {plural(limits.length, "time")} in the last hour
      </summary>
      <ul className="mt-1.5 max-w-xl divide-y divide-line rounded-md border border-line">
        {limits.map(({ at, reason, retryAfterMs }) => (
          <li key={at} className="flex gap-x-4 px-3 py-1 text-xs">
            <span className="w-20 shrink-0 text-ink-2">
              <RelativeTime at={at} />
            </span>
            <span className="min-w-0 flex-1 break-words">{rateLimitReason(reason)}</span>
            <span className="whitespace-nowrap text-ink-2 tabular-nums">
              {retryAfterMs === null ? "no wait named" : `wait ${formatDuration(retryAfterMs)}`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
