import { Link } from "@tanstack/react-router";
import type { AiCallView } from "../api.ts";
import { formatCost, formatCount, formatDuration } from "../format.ts";
import { useMay } from "../queries.ts";
import { Digest, Facts, type Fact } from "./facts.tsx";

interface CallFactsProps {
  readonly call: AiCallView;
  readonly runId: string;
}

const pending = "not yet known";

/** What a request used, cost and waited for, and what proves it. */
export function CallFacts({ call, runId }: CallFactsProps) {
  const { status, startedAt, finishedAt, reservedMicroUsd } = call;
  const facts: Fact[] = [
    { name: "Tokens in", value: tokens(call, call.inputTokens) },
    { name: "Tokens out", value: tokens(call, call.outputTokens) },
    { name: "Cost", value: <Cost call={call} /> },
    {
      name: "Set aside",
      value: (
        <span title="The most that it could have cost, held back in the budgets before it was sent">
          {reservedMicroUsd === null ? "price unknown" : formatCost(reservedMicroUsd)}
        </span>
      ),
    },
    { name: "Waited", value: waited(call) },
    {
      name: "Took",
      value:
        finishedAt === null
          ? status === "intent"
            ? pending
            : "not recorded"
          : formatDuration(Date.parse(finishedAt) - Date.parse(startedAt)),
    },
    { name: "Prompt version", value: <Digest text={call.promptVersion} /> },
    { name: "Digest", value: <Proof digest={call.requestDigest} runId={runId} /> },
  ];
  return <Facts className="!grid-cols-[repeat(auto-fill,minmax(116px,1fr))]" facts={facts} />;
}

function tokens({ status, estimated }: AiCallView, count: number | null): string {
  if (count === null) return status === "intent" ? pending : "not said";
  return `${estimated ? "about " : ""}${formatCount(count)}`;
}

function Cost({ call: { costMicroUsd, status, estimated } }: { readonly call: AiCallView }) {
  if (costMicroUsd === null) return status === "intent" ? pending : "price unknown";
  return (
    <>
      {formatCost(costMicroUsd)}
      {estimated && (
        <span className="text-doubt" title="The provider did not say how much was used.">
          {" "}
          estimated
        </span>
      )}
    </>
  );
}

/** The wait before it was sent. */
function waited({ waitedMs, lane }: AiCallView): string {
  if (waitedMs === 0) return "not at all";
  return `${formatDuration(waitedMs)} for ${lane === "batch" ? "the batch" : "limits or budgets"}`;
}

function Proof({ digest, runId }: { readonly digest: string; readonly runId: string }) {
  const may = useMay("audit");
  return (
    <>
      <Digest text={digest} />
      {may && (
        <Link to="/ledger" search={{ run: runId }} className="text-xs text-accent hover:underline">
          In the ledger
        </Link>
      )}
    </>
  );
}
