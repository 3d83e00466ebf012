import type { RunDetailView, StepView } from "./api.ts";
import { askedFor } from "./question.ts";
import type { StepNode } from "./step-tree.ts";
import { isLimit } from "./words.ts";

/** What a piece of a bar stands for: work (solid), or a wait by its reason. */
export type SegmentKind =
  | "ai"
  | "effect"
  | "code"
  | "failed"
  | "queue"
  | "retry"
  | "limit"
  | "budget"
  | "batch"
  | "circuit"
  | "person"
  /** A wait before an AI call was sent, of which only the length is known. */
  | "held"
  | "sleep"
  | "signal"
  /** Another run worked, or waited. */
  | "run"
  /** From the first to the last of what is inside a step, and when something of it worked. */
  | "span"
  | "inner"
  | "idle";

/** A piece of a bar. Times are milliseconds since 1970. */
export interface Segment {
  readonly kind: SegmentKind;
  readonly from: number;
  readonly to: number;
}

const work: readonly SegmentKind[] = ["ai", "effect", "code", "failed", "inner"];
const ms = (time: string): number => Date.parse(time);

/** The wait after a failed attempt: asked for by the other side, our own backoff, or until a person resumed the run. */
function waitKind(error: StepView["attempts"][number]["error"]): SegmentKind {
  if (isLimit(error?.code)) return "limit";
  return error !== null && !error.retryable ? "idle" : "retry";
}

/** The pieces of a step's bar: each attempt, and the waits between them. What holds others gets those of what is inside. */
export function segmentsOf({ step, children }: StepNode, now: number): Segment[] {
  const end = step.finishedAt === null ? now : ms(step.finishedAt);
  const { kind } = step;
  if (kind === "map" || kind === "item")
    return spanOf(
      { kind: "span", from: ms(step.startedAt), to: end },
      children.flatMap((child) => segmentsOf(child, now)),
    );
  if (askedFor(step)) return [{ kind: "person", from: ms(step.startedAt), to: end }];
  if (kind === "sleep" || kind === "signal" || kind === "run") return [{ kind, from: ms(step.startedAt), to: end }];
  const [first] = step.attempts;
  if (!first) {
    const held = beforeFirst(step, end);
    return held.length > 0 ? held : [{ kind: step.waitReason ?? kind, from: ms(step.startedAt), to: end }];
  }
  return [
    ...beforeFirst(step, ms(first.startedAt)),
    ...step.attempts.flatMap((attempt, index) => {
      const next = step.attempts[index + 1];
      const to = attempt.finishedAt === null ? end : ms(attempt.finishedAt);
      const piece: Segment = { kind: attempt.error ? "failed" : kind, from: ms(attempt.startedAt), to };
      const until = next ? ms(next.startedAt) : step.status === "waiting" ? now : to;
      const wait = next === undefined && step.waitReason !== null ? step.waitReason : waitKind(attempt.error);
      return until > to ? [piece, { kind: wait, from: to, to: until }] : [piece];
    }),
  ];
}

/** Shorter than this, a step did not wait before its first try: that is how long it takes to begin. */
const heldMs = 200;

/** An AI call may wait for room before its first try counts: what was asked before, and the waits before and after. */
function beforeFirst({ kind, startedAt, aiCalls, waitReason }: StepView, firstAt: number): Segment[] {
  if (kind !== "ai" || firstAt - ms(startedAt) < heldMs) return [];
  const pieces: Segment[] = [];
  let at = ms(startedAt);
  let wait: SegmentKind = "held";
  for (const call of aiCalls) {
    const from = ms(call.startedAt);
    if (call.lane === "batch") wait = "batch";
    if (from >= firstAt || call.finishedAt === null) break;
    const to = ms(call.finishedAt);
    // One model after another is no wait.
    if (from - at >= heldMs) pieces.push({ kind: wait, from: at, to: from });
    pieces.push({ kind: call.status === "failed" ? "failed" : "ai", from, to });
    wait = isLimit(call.error?.code) ? "limit" : "held";
    at = to;
  }
  return [...pieces, { kind: waitReason ?? wait, from: at, to: firstAt }];
}

/** Gaps shorter than this share of a span cannot be seen on it. */
const seenShare = 1 / 200;

/** A span with what worked and failed in it, joined where one piece goes on into the next: a thousand items are few pieces. */
function spanOf(span: Segment, inner: readonly Segment[]): Segment[] {
  const gapMs = (span.to - span.from) * seenShare;
  const failed = inner.filter(({ kind }) => kind === "failed");
  const worked = inner.filter(({ kind }) => kind === "inner" || (work.includes(kind) && kind !== "failed"));
  return [span, ...join(worked, "inner", gapMs), ...join(failed, "failed", gapMs)];
}

function join(segments: readonly Segment[], kind: SegmentKind, gapMs: number): Segment[] {
  const joined: Segment[] = [];
  for (const { from, to } of segments.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && from <= last.to + gapMs) joined[joined.length - 1] = { ...last, to: Math.max(last.to, to) };
    else joined.push({ kind, from, to });
  }
  return joined;
}

/** The wait in the queue before a run started; none where it started at once. */
export function queueSegment(run: RunDetailView, now: number): Segment {
  return { kind: "queue", from: ms(run.queuedAt), to: run.startedAt === null ? now : ms(run.startedAt) };
}

/** Places times on the width of the timeline. */
export interface TimeScale {
  /** Where a time stands, from 0 to 1. */
  readonly place: (time: number) => number;
  /** Marks with their words. */
  readonly ticks: readonly { readonly at: number; readonly elapsedMs: number }[];
  /** Waits that are drawn much shorter than they were. */
  readonly breaks: readonly { readonly at: number; readonly lengthMs: number }[];
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly idle: boolean;
}

/** Cuts the time of a run into stretches in which something worked, and stretches in which all waited. */
function stretchesOf(segments: readonly Segment[], start: number, end: number): Stretch[] {
  const stretches: Stretch[] = [];
  let at = start;
  // Work of no length has no room to be given.
  const works = segments
    .filter(({ kind, from, to }) => work.includes(kind) && to > from)
    .toSorted((a, b) => a.from - b.from);
  for (const { from, to } of works) {
    if (from > at) stretches.push({ from: at, to: from, idle: true });
    if (to > at) stretches.push({ from: Math.max(at, from), to, idle: false });
    at = Math.max(at, to);
  }
  if (end > at) stretches.push({ from: at, to: end, idle: true });
  return stretches;
}

const idleShare = 0.5;

/**
 * The scale of a run's timeline. It is even as long as the work can be seen on it; where long waits would press pieces of
 * work to hairlines, the waits together get half of the width, each by the root of its length, and are marked as breaks.
 */
export function createTimeScale(segments: readonly Segment[], start: number, end: number): TimeScale {
  const total = Math.max(1, end - start);
  const stretches = stretchesOf(segments, start, end);
  const idleMs = stretches.reduce((sum, { idle, from, to }) => sum + (idle ? to - from : 0), 0);
  const workMs = total - idleMs;
  const works = stretches.filter(({ idle }) => !idle).length;
  if (works < 2 || idleMs < workMs * 8) {
    const place = (time: number) => clamp((time - start) / total);
    return { place, ticks: evenTicks(total), breaks: [] };
  }
  const roots = stretches.reduce((sum, { idle, from, to }) => sum + (idle ? Math.sqrt(to - from) : 0), 0);
  let at = 0;
  const placed = stretches.map((stretch) => {
    const length = stretch.to - stretch.from;
    const width = stretch.idle ? (idleShare * Math.sqrt(length)) / roots : ((1 - idleShare) * length) / workMs;
    at += width;
    return { ...stretch, start: at - width, width };
  });
  const place = (time: number) => {
    const stretch = placed.findLast(({ from }) => from <= time);
    if (!stretch) return 0;
    return clamp(stretch.start + (stretch.width * (time - stretch.from)) / Math.max(1, stretch.to - stretch.from));
  };
  const breaks = placed
    .filter(({ idle, width, from, to }) => idle && width > 0.14 && to - from > workMs / 2)
    .map((stretch) => ({ at: stretch.start + stretch.width / 2, lengthMs: stretch.to - stretch.from }));
  const ticks = [{ at: 0, elapsedMs: 0 }];
  // A break at the end says as much as the mark there would, and needs its room.
  if (!breaks.some((mark) => mark.at > 0.65)) ticks.push({ at: 1, elapsedMs: total });
  return { place, ticks, breaks };
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share));

/** Lengths that read well on a clock, from a minute to a day, in milliseconds. */
const clockSteps = [1, 2, 5, 10, 20, 30, 60, 120, 240, 360, 720, 1440].map((minutes) => minutes * 60_000);

/** The shortest round length of at least `rough` milliseconds. */
function roundLength(rough: number): number {
  const days = rough / 86_400_000;
  if (rough > 20_000 && days <= 1) return clockSteps.find((step) => rough <= step) ?? 86_400_000;
  const [amount, unit] = days > 1 ? [days, 86_400_000] : [rough, 1];
  const magnitude = 10 ** Math.floor(Math.log10(amount));
  return unit * magnitude * ([1, 2, 2.5, 5].find((round) => amount <= round * magnitude) ?? 10);
}

/** Two to four steps of a round length. */
function evenTicks(total: number): TimeScale["ticks"] {
  const step = roundLength(total / 4);
  const count = Math.floor(total / step);
  return Array.from({ length: count + 1 }, (_, index) => ({ at: (index * step) / total, elapsedMs: index * step }));
}
