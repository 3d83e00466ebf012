import { Link } from "@tanstack/react-router";
import type { SubflowView } from "../api.ts";
import { shortId } from "../format.ts";
import { statusWords } from "../words.ts";
import { StatusIcon } from "./status.tsx";

/** The way to the run that a step started. */
export function SubflowLink({ subflow }: { readonly subflow: SubflowView }) {
  return (
    <Link
      to="/runs/$id"
      params={{ id: subflow.id }}
      title={`Run ${subflow.id}: ${statusWords[subflow.status]}`}
      className="inline-flex shrink-0 items-center gap-1.5 font-mono text-xs text-accent hover:underline"
    >
      <StatusIcon status={subflow.status} size={12} />
      {shortId(subflow.id)}
    </Link>
  );
}
