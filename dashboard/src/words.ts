import type { ReceiptView, RunDetailView, RunStatus, RunView, StepView } from "./api.ts";
import { formatClock, formatDuration, formatSince } from "./format.ts";

/*
 * States in plain words.
 */

export const statusWords: { readonly [status in RunStatus]: string } = {
  queued: "Queued",
  running: "Running",
  waiting: "Waiting",
  succeeded: "Succeeded",
  failed: "Failed",
  cancelled: "Cancelled",
  in_doubt: "In doubt",
};

export const kindWords: { readonly [kind in StepView["kind"]]: string } = {
  ai: "AI call",
  effect: "Effect",
  code: "Own code",
  sleep: "Sleep",
  signal: "Signal",
};

export const receiptWords: { readonly [state in ReceiptView["state"]]: { label: string; meaning: string } } = {
  intent: { label: "Not confirmed yet", meaning: "The call was about to be sent; nothing is recorded of an answer." },
  done: { label: "Done", meaning: "The other system confirmed it." },
  not_done: { label: "Not done", meaning: "The other system refused it, or it was never sent." },
  unknown: { label: "Unknown", meaning: "It was sent, and no answer came that settles whether it was done." },
};

const refusals: { readonly [code: string]: string } = {
  SIGNATURE_INVALID: "Signature does not match",
  SIGNATURE_MISSING: "No signature",
  SIGNATURE_EXPIRED: "Signed too long ago",
  PAYLOAD_INVALID: "Payload does not fit the schema",
  BODY_NOT_JSON: "Body is not JSON",
  BODY_TOO_LARGE: "Body is too large",
  CONTENT_TYPE_UNSUPPORTED: "Content type is not JSON",
  HOOK_UNKNOWN: "No flow at this address",
  DELIVERY_ID_INVALID: "Delivery id is malformed",
  QUEUE_FULL: "Queue was full",
};

/** What a refusal's code means; codes without words of their own read as they are written. */
export const refusalWords = (code: string): string =>
  refusals[code] ?? code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");

export const finished = (run: RunView): boolean =>
  ["succeeded", "failed", "cancelled", "in_doubt"].includes(run.status);

/** Whether an error says that the other side asked to slow down. */
export const isLimit = (code: string | undefined): boolean =>
  code === "MODEL_RATE_LIMITED" || code === "ACTION_RATE_LIMITED" || code === "MODEL_QUOTA_EXHAUSTED";

function waitSentence(step: StepView, now: number): string {
  const since = formatSince(step.startedAt, now);
  const wake = step.wakeAt === null ? "" : formatClock(step.wakeAt, now);
  if (step.kind === "signal") return `Waiting for the signal “${step.name}” since ${since}`;
  if (step.kind === "sleep") return `Sleeping until ${wake || "woken"}`;
  const last = step.attempts.findLast((attempt) => attempt.error !== null);
  const reason = isLimit(last?.error?.code) ? "Asked to slow down; tries" : "Tries";
  return `${reason} ${step.name} again${wake ? ` at ${wake}` : " soon"}`;
}

/** A step's path as people count, from 1: `4` for `3`, `4.1.2` for `3.0.1`. */
export function stepNumber(path: string): string {
  return path
    .split(".")
    .map((number) => Number(number) + 1)
    .join(".");
}

/** One sentence on where a run stands. */
export function runSentence(run: RunDetailView, now: number): string {
  const step = run.steps.find((candidate) => candidate.path === run.failedStep);
  const at = step ? ` at step ${stepNumber(step.path)}, ${step.name}` : "";
  const current = run.steps.findLast((candidate) => candidate.finishedAt === null);
  switch (run.status) {
    case "queued":
      return `In the queue since ${formatClock(run.queuedAt, now)}`;
    case "running":
      return current
        ? current.status === "waiting"
          ? waitSentence(current, now)
          : `Running ${current.name}`
        : "Running";
    case "waiting":
      return current ? waitSentence(current, now) : "Waiting";
    case "succeeded":
      return run.durationMs === null ? "Succeeded" : `Succeeded in ${formatDuration(run.durationMs)}`;
    case "failed":
      return step ? `Failed${at}` : "Failed in the flow’s own code";
    case "cancelled":
      return `Cancelled${run.finishedAt ? ` at ${formatClock(run.finishedAt, now)}` : ""}`;
    case "in_doubt":
      return `In doubt${at}: it may or may not have been done`;
    default:
      return statusWords[run.status];
  }
}
