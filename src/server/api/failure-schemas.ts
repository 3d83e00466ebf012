import { z } from "zod";
import { RunStatusView } from "./run-schemas.ts";
import { effectInPreview, line, time } from "./schema-parts.ts";

/*
 * The shapes of failures in groups and of the queue. Part of the shapes of the API: see schemas.ts.
 */

/** Runs that failed in the same way: the same flow, step, code and message, numbers and names apart. */
export const FailureGroupView = z.object({
  fingerprint: z.string(),
  flow: z.string(),
  /** Name of the step that failed; null when the flow's own code did. */
  step: z.string().nullable(),
  status: z.enum(["failed", "in_doubt"]),
  /** Code and message of the latest run's error. */
  code: z.string(),
  message: z.string(),
  count: z.int(),
  firstAt: time,
  lastAt: time,
  /** The latest run. */
  runId: z.string(),
});

/** The groups with the latest failures first; `next` is always null. */
export const FailurePage = z.object({ items: z.array(FailureGroupView), next: z.null() });

/** What resuming all runs of a group would do. Looks at the newest 1,000 runs. */
export const GroupResumePreview = z.object({
  /** How many runs were looked at. */
  runs: z.int(),
  effects: z.object({
    /** Given back from their receipts. */
    done: z.int(),
    /** Tried. */
    notDone: z.int(),
    /** In doubt: `intent` or `unknown`. */
    unknown: z.int(),
    /** Those in doubt that would be sent again, with the same keys; the others wait for a person's word. */
    wouldRepeat: z.int(),
  }),
  /** At most 20, those that would repeat first. */
  examples: z.array(effectInPreview.extend({ runId: z.string() })),
});

export const FailureDetailView = FailureGroupView.extend({
  /** The newest first, at most 50. */
  runs: z.array(
    z.object({
      id: z.string(),
      status: RunStatusView,
      finishedAt: time.nullable(),
      failedStep: z.string().nullable(),
    }),
  ),
  resume: GroupResumePreview,
});

/** `skipped`: not resumed, because somebody else did meanwhile, or they are not of the group. */
export const ResumedView = z.object({ resumed: z.int(), skipped: z.int() });

/** What waits for room, and who executes. */
export const QueueView = z.object({
  queued: z.int(),
  /** Beyond so many queued runs, events are refused with QUEUE_FULL. */
  maxQueued: z.int(),
  /** Flows with unfinished runs, by name. */
  byFlow: z.array(
    z.object({
      flow: z.string(),
      queued: z.int(),
      running: z.int(),
      /** Waiting in the memory of a process. */
      waiting: z.int(),
      /** Waiting with nothing in memory. */
      parked: z.int(),
      oldestQueuedAt: time.nullable(),
    }),
  ),
  /** Processes that have not ended, the newest first. */
  processes: z.array(
    z.object({
      executor: z.string(),
      role: z.enum(["all", "web", "worker"]),
      startedAt: time,
      /** False when its connection is gone: others take its runs over. */
      alive: z.boolean(),
      /** Runs that it has under way. */
      running: z.int(),
    }),
  ),
});

/** Without `runIds`: all runs of the group, at most `limit`. */
export const ResumeFailuresRequest = z.object({
  runIds: z.array(line(64)).max(1000).optional(),
  limit: z.int().min(1).max(10_000).optional(),
});

export type FailureGroupView = z.infer<typeof FailureGroupView>;
export type FailurePage = z.infer<typeof FailurePage>;
export type GroupResumePreview = z.infer<typeof GroupResumePreview>;
export type FailureDetailView = z.infer<typeof FailureDetailView>;
export type ResumedView = z.infer<typeof ResumedView>;
export type QueueView = z.infer<typeof QueueView>;
