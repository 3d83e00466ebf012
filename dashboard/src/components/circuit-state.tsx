import { clsx } from "clsx";
import type { ModelCandidateView } from "../api.ts";
import { formatExact, formatSince } from "../format.ts";
import { circuitReason } from "../gateway-words.ts";
import { useNow } from "./time.tsx";

type State = ModelCandidateView["circuit"]["state"];

/** A switch, closed or open; while it probes, half-way and dashed. */
const arms: { readonly [state in State]: string } = {
  closed: "M3.5 7h7",
  probing: "M3.5 7l6-2.6",
  open: "M3.5 7l5-4.6",
};

const tones: { readonly [state in State]: string } = { closed: "text-ok", probing: "text-doubt", open: "text-fail" };

function CircuitIcon({ state }: { readonly state: State }) {
  return (
    <svg viewBox="0 0 14 14" width="16" height="16" aria-hidden="true" className={clsx("shrink-0", tones[state])}>
      <path
        d={arms[state]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeDasharray={state === "probing" ? "1.8 1.8" : undefined}
      />
      <circle cx="2.5" cy="7" r="1.9" fill="currentColor" />
      <circle cx="11.5" cy="7" r="1.9" fill="currentColor" />
    </svg>
  );
}

/** Whether calls are let through to a model, in words and by a shape: closed, open until a time or a person, probing. */
export function CircuitState({ circuit }: { readonly circuit: ModelCandidateView["circuit"] }) {
  const now = useNow();
  const { state, until } = circuit;
  const reason = circuitReason(circuit);
  return (
    <span data-testid="circuit" data-state={state} className="inline-flex items-start gap-1.5">
      <span className="pt-0.5">
        <CircuitIcon state={state} />
      </span>
      <span className={clsx(state === "closed" ? "text-ink-2" : "font-medium")}>
        {state === "closed" && "Calls go through"}
        {state === "probing" && `One call is let through to see whether it works again${reason ? `: ${reason}` : ""}`}
        {state === "open" && (
          <>
            No call goes through{reason && `: ${reason}`};{" "}
            {until === null ? (
              "until a person resumes it"
            ) : (
              <span title={formatExact(until)}>tried again at {formatSince(until, now)}</span>
            )}
          </>
        )}
      </span>
    </span>
  );
}
