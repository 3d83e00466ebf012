import { z } from "zod";
import type { Json } from "../../core/index.ts";
import { effectInPreview, effectKind, line, receiptState, time } from "./schema-parts.ts";

/*
 * The shapes of runs and of what people may do to them. Part of the shapes of the API: see schemas.ts.
 */

/** Any JSON. */
export const AnyJson: z.ZodType<Json> = z.json();

/** States of a run. */
export const runStatuses = ["queued", "running", "waiting", "succeeded", "failed", "cancelled", "in_doubt"] as const;
export const RunStatusView = z.enum(runStatuses);

/** Who goes first when runs wait for room. */
export const priorities = ["interactive", "standard", "batch"] as const;

/** What a person may say about an effect in doubt. */
export const rulingWords = ["done", "not_done", "try_again"] as const;

/** An error as runs and steps keep it. */
export const ErrorView = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  retryable: z.boolean(),
  details: AnyJson.optional(),
});

export const RunView = z.object({
  id: z.string(),
  flow: z.string(),
  flowVersion: z.string().nullable(),
  status: RunStatusView,
  queuedAt: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  /** From accepted to finished; null while unfinished. */
  durationMs: z.number().nullable(),
  output: AnyJson,
  error: ErrorView.nullable(),
  /** Path of the step that failed the run. */
  failedStep: z.string().nullable(),
  /** The same for failures of one kind; null unless it failed. */
  fingerprint: z.string().nullable(),
  priority: z.enum(priorities),
  /** The run that started it as a sub-flow, and the path of the step that did; null when a trigger did. */
  parent: z.object({ runId: z.string(), path: z.string() }).nullable(),
  /** When a parked run goes on by itself. */
  wakeAt: time.nullable(),
  /** Whether it waits and nothing of it stays in memory. */
  parked: z.boolean(),
  recoveries: z.int(),
  resumes: z.int(),
  /** Whether it is executed against the sandbox's stand-ins. */
  sandbox: z.boolean(),
  /** Whether a person sent its event to try the flow out. */
  sample: z.boolean(),
  /** Repeats of its delivery that were suppressed. */
  duplicates: z.int(),
  /** Whether the simulated model answered one of its AI calls. */
  simulated: z.boolean(),
});

export const RunPage = z.object({ items: z.array(RunView), next: z.string().nullable() });

export const EventView = z.object({
  id: z.string(),
  /** Where it came in, such as `webhook:leads`. */
  source: z.string(),
  deliveryId: z.string().nullable(),
  payload: AnyJson,
  sample: z.boolean(),
  /** Repeats of the same delivery that were suppressed. */
  duplicates: z.int(),
  lastDuplicateAt: time.nullable(),
  receivedAt: time,
});

export const AttemptView = z.object({
  number: z.int(),
  startedAt: time,
  finishedAt: time.nullable(),
  error: ErrorView.nullable(),
});

export const AiCallView = z.object({
  id: z.string(),
  stepPath: z.string(),
  attempt: z.int(),
  modelName: z.string(),
  provider: z.string(),
  model: z.string(),
  simulated: z.boolean(),
  sentFields: z.array(z.string()),
  availableFields: z.int(),
  /** The messages as they were sent. */
  request: AnyJson,
  requestDigest: z.string(),
  response: AnyJson,
  status: z.enum(["intent", "succeeded", "failed"]),
  rung: z.enum(["as_is", "repaired", "asked_again"]).nullable(),
  inputTokens: z.int().nullable(),
  outputTokens: z.int().nullable(),
  /** Null when the price is unknown. */
  costMicroUsd: z.int().nullable(),
  error: ErrorView.nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
});

/** A person's word about an effect in doubt. */
export const RulingView = z.object({
  word: z.enum(rulingWords),
  /** Id of the user or API key; null on the command line of the machine itself. */
  by: z.string().nullable(),
  byName: z.string().nullable(),
  at: time,
});

export const ReceiptView = z.object({
  /** Idempotency key. */
  key: z.string(),
  stepPath: z.string(),
  connection: z.string(),
  action: z.string(),
  effect: effectKind,
  state: receiptState,
  requestDigest: z.string(),
  request: AnyJson,
  response: AnyJson,
  attempts: z.int(),
  /** Null when nobody had to decide about it. */
  ruling: RulingView.nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
});

export const StepView = z.object({
  /** Place in the run: `3`, and inside a map `3.0.1`. */
  path: z.string(),
  name: z.string(),
  kind: z.enum(["code", "ai", "effect", "sleep", "signal", "map", "item", "run"]),
  status: z.enum(["running", "waiting", "succeeded", "failed", "reopened"]),
  attempts: z.array(AttemptView),
  wakeAt: time.nullable(),
  input: AnyJson,
  output: AnyJson,
  error: ErrorView.nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
  durationMs: z.number().nullable(),
  aiCalls: z.array(AiCallView),
  receipt: ReceiptView.nullable(),
});

/** What resuming a run would do. */
export const ResumePreview = z.object({
  possible: z.boolean(),
  /** Path of the step that would be done again first; null: the steps are kept, only the flow's code runs again. */
  fromStep: z.string().nullable(),
  /** Effects from that step on: `done` ones before it are never repeated. */
  effects: z.array(effectInPreview),
});

/** What letting a run of a changed flow go on under the present code would do. */
export const MigrationPreview = z.object({
  /** False when the flow is not part of the application any more. */
  possible: z.boolean(),
  /** The first step that does not fit, as it is recorded. It and all after it are done anew. */
  step: z.object({ path: z.string(), name: z.string() }),
  /** Digest of the flow's present code; null when it is gone. */
  version: z.string().nullable(),
  /** Digest of the code that the run was executed with. */
  recordedVersion: z.string().nullable(),
  /** Effects from that step on that were done, or may have been: they would be done once more, with new keys. */
  effects: z.array(z.object({ action: z.string(), key: z.string(), state: receiptState })),
});

/** The effect in doubt that a person has to decide about before its run can go on. */
export const QuestionView = z.object({
  key: z.string(),
  action: z.string(),
  connection: z.string(),
  stepPath: z.string(),
  startedAt: time,
  attempts: z.int(),
  /** What was, or was to be, sent. */
  request: AnyJson,
  /** Why it is in doubt: the message of the run's error. */
  reason: z.string(),
});

/** A run that a step of another run started. */
export const SubflowView = z.object({
  id: z.string(),
  flow: z.string(),
  status: RunStatusView,
  /** Path of the step that started it. */
  path: z.string(),
});

export const RunDetailView = RunView.extend({
  event: EventView,
  steps: z.array(StepView),
  resume: ResumePreview,
  /** Null unless the run failed with FLOW_CHANGED. */
  migration: MigrationPreview.nullable(),
  /** Of a run in doubt, or one that failed over an effect that cannot be taken back; of several the first one. */
  question: QuestionView.nullable(),
  /** The newest first, at most 200. */
  subflows: z.array(SubflowView),
  totals: z.object({
    inputTokens: z.int(),
    outputTokens: z.int(),
    /** Sum of the known costs. */
    costMicroUsd: z.int(),
    unpricedCalls: z.int(),
  }),
});

/** Whether a signal was the first of its name for the run; a later one changes nothing. */
export const SignalView = z.object({ accepted: z.boolean() });

/** How many parked runs were woken to show whether they fit the flow's present code. */
export const RecheckView = z.object({ woken: z.int() });

export const SignalRequest = z.object({ value: AnyJson });

/** A person's word about an effect in doubt. `output`: what the step gives to the flow when it was done; default null. */
export const RuleRequest = z.object({
  key: line(200),
  word: z.enum(rulingWords),
  output: AnyJson.optional(),
});

export type ErrorView = z.infer<typeof ErrorView>;
export type RunView = z.infer<typeof RunView>;
export type RunPage = z.infer<typeof RunPage>;
export type EventView = z.infer<typeof EventView>;
export type AiCallView = z.infer<typeof AiCallView>;
export type RulingView = z.infer<typeof RulingView>;
export type ReceiptView = z.infer<typeof ReceiptView>;
export type StepView = z.infer<typeof StepView>;
export type ResumePreview = z.infer<typeof ResumePreview>;
export type MigrationPreview = z.infer<typeof MigrationPreview>;
export type QuestionView = z.infer<typeof QuestionView>;
export type SubflowView = z.infer<typeof SubflowView>;
export type RunDetailView = z.infer<typeof RunDetailView>;
export type SignalView = z.infer<typeof SignalView>;
export type RecheckView = z.infer<typeof RecheckView>;
