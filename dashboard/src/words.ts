import type { ReceiptView, RulingWord, RunDetailView, RunStatus, RunView, StepView } from "./api.ts";
import { formatClock, formatCount, formatDuration, formatSince } from "./format.ts";
import { askedFor } from "./question.ts";
import { pendingOf, treeOf, type ItemCounts, type ShownStatus } from "./step-tree.ts";

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
  map: "Map: the same for each item",
  item: "Item of a map",
  run: "Run of another flow",
};

export const shownWords: { readonly [status in ShownStatus]: string } = {
  ...statusWords,
  reopened: "To be done again",
};

/** What a person said about an effect in doubt. */
export const rulingWords: { readonly [word in RulingWord]: string } = {
  done: "It happened",
  not_done: "It did not happen, and should not",
  try_again: "It did not happen: try again",
};

/** What an effect went through: a step of the flow's own has no connection, and says so by this name. */
export const connectionName = (connection: string): string =>
  connection === "step" ? "the flow’s own code" : connection;

const itemWords: readonly (readonly [ShownStatus, string])[] = [
  ["succeeded", "done"],
  ["failed", "failed"],
  ["in_doubt", "in doubt"],
  ["running", "running"],
  ["waiting", "waiting"],
  ["reopened", "to be done again"],
  ["cancelled", "cancelled"],
];

/** How the items of a map stand, such as `997 done, 3 failed`. */
export function itemsSentence({ total, byStatus, left }: ItemCounts): string {
  const parts = itemWords.flatMap(([status, word]) => {
    const count = byStatus[status] ?? 0;
    return count === 0 ? [] : [`${formatCount(count)} ${word}`];
  });
  if (left > 0) parts.push(`${formatCount(left)} not begun`);
  return total === 0 ? "no items" : parts.join(", ");
}

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

const waitReasons: { readonly [reason in NonNullable<StepView["waitReason"]>]: string } = {
  limit: "room in a limit",
  budget: "room in a budget",
  batch: "the answer of a batch",
  circuit: "the provider to come back",
  person: "a person",
};

/** What a step waits for, and since when. */
export function waitSentence(step: StepView, now: number): string {
  const since = formatSince(step.startedAt, now);
  const wake = step.wakeAt === null ? "" : formatClock(step.wakeAt, now);
  const asked = askedFor(step);
  if (asked?.what === "answer") return `Waiting for a person to answer “${asked.step}” since ${since}`;
  if (asked?.what === "budget") return `Waiting for a person to allow the cost of “${asked.step}” since ${since}`;
  if (step.waitReason !== null) return `Waiting for ${waitReasons[step.waitReason]} since ${since} (${step.name})`;
  if (step.kind === "signal") return `Waiting for the signal “${step.name}” since ${since}`;
  if (step.kind === "run") return `Waiting for the flow ${step.name} since ${since}`;
  if (step.kind === "sleep") return `Sleeping since ${since}${wake && `, until ${wake}`}`;
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

const waitNouns: { readonly [kind in StepView["kind"]]?: string } = {
  signal: "signals",
  run: "other runs",
  sleep: "sleeps to end",
};

/** What a run works on or waits for, with as many words for one step as for a hundred. */
function underWay(run: RunDetailView, now: number): string {
  const pending = pendingOf(treeOf(run.steps));
  const waits = run.status === "waiting" ? pending : pending.filter(({ status }) => status === "waiting");
  const [first] = waits;
  if (!first || waits.length < pending.length) {
    const work = pending.filter((step) => !waits.includes(step));
    return work.length === 0 ? statusWords[run.status] : `Running ${work.at(-1)?.name}${others(work.length - 1)}`;
  }
  const held = run.parked ? "; nothing is held in memory" : "";
  if (waits.length === 1) return waitSentence(first, now) + held;
  const noun = waits.every(({ kind }) => kind === first.kind) ? waitNouns[first.kind] : undefined;
  const since = waits.map(({ startedAt }) => startedAt).toSorted()[0] ?? first.startedAt;
  return `Waiting for ${formatCount(waits.length)} ${noun ?? "steps"} since ${formatSince(since, now)}${held}`;
}

const others = (count: number): string => (count === 0 ? "" : ` and ${formatCount(count)} more`);

/** One sentence on where a run stands. */
export function runSentence(run: RunDetailView, now: number): string {
  const step = run.steps.find((candidate) => candidate.path === run.failedStep);
  const at = step ? ` at step ${stepNumber(step.path)}, ${step.name}` : "";
  switch (run.status) {
    case "queued":
      return `In the queue since ${formatClock(run.queuedAt, now)}`;
    case "running":
    case "waiting":
      return underWay(run, now);
    case "succeeded":
      return run.durationMs === null ? "Succeeded" : `Succeeded in ${formatDuration(run.durationMs)}`;
    case "failed":
      return step ? `Failed${at}` : "Failed in the flow’s own code";
    case "cancelled":
      return `Cancelled${run.finishedAt ? ` at ${formatClock(run.finishedAt, now)}` : ""}`;
    case "in_doubt":
      return `In doubt${at}`;
    default:
      return statusWords[run.status];
  }
}
