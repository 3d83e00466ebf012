import { z } from "zod";
import { QuestionView } from "./question-schemas.ts";
import { AnyJson, effectInPreview, effectKind, line, receiptState, time } from "./schema-parts.ts";

export { AnyJson };

/*
 * The shapes of runs and of what people may do to them. Part of the shapes of the API: see schemas.ts.
 */

/** States of a run. */
export const runStatuses = ["queued", "running", "waiting", "succeeded", "failed", "cancelled", "in_doubt"] as const;
export const RunStatusView = z.enum(runStatuses);

/** Who goes first when runs wait for room. */
export const priorities = ["interactive", "standard", "batch"] as const;

/** What a step waits for: room in a limit or a budget, the answer of a batch, a provider that works again, a person. */
export const waitReasons = ["limit", "budget", "batch", "circuit", "person"] as const;

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
  /** Null when it was erased. */
  payload: AnyJson,
  erased: z.boolean(),
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

/** A field that was sent to a model. */
export const SentFieldView = z.object({
  name: z.string(),
  /** Paths in the event that hold the same value; empty: made by the flow or an earlier step. */
  sources: z.array(z.string()),
  /** Kinds of personal values in it that were masked. */
  masked: z.array(z.string()),
});

export const AiCallView = z.object({
  id: z.string(),
  stepPath: z.string(),
  attempt: z.int(),
  modelName: z.string(),
  provider: z.string(),
  model: z.string(),
  /** Where the model runs, as configured; null when nothing is said. */
  region: z.string().nullable(),
  lane: z.enum(priorities),
  simulated: z.boolean(),
  sentFields: z.array(SentFieldView),
  availableFields: z.int(),
  /** How many different values of each kind were masked. */
  masked: z.record(z.string(), z.int()),
  /** The messages as they were sent, masked; null when they were erased. */
  request: AnyJson,
  requestDigest: z.string(),
  /** As it came; null when there is none or it was erased. */
  response: AnyJson,
  status: z.enum(["intent", "succeeded", "failed"]),
  rung: z.enum(["as_is", "repaired", "asked_again", "fallback", "review"]).nullable(),
  inputTokens: z.int().nullable(),
  outputTokens: z.int().nullable(),
  /** Null when the price is unknown. */
  costMicroUsd: z.int().nullable(),
  /** Whether usage or cost is an estimate, because the provider did not say. */
  estimated: z.boolean(),
  /** The most that it could cost, as set aside beforehand; null when the price is unknown. */
  reservedMicroUsd: z.int().nullable(),
  /** How long it waited for limits, budgets or the batch before it was sent. */
  waitedMs: z.int(),
  /** Digest of instructions and schema. */
  promptVersion: z.string(),
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
  /** What it waits for, where its kind does not tell. */
  waitReason: z.enum(waitReasons).nullable(),
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
  /** An effect of a run in doubt or of one that failed over it, or what a step of a waiting run asks; of several the first one. */
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
export type SentFieldView = z.infer<typeof SentFieldView>;
export type AiCallView = z.infer<typeof AiCallView>;
export type RulingView = z.infer<typeof RulingView>;
export type ReceiptView = z.infer<typeof ReceiptView>;
export type StepView = z.infer<typeof StepView>;
export type ResumePreview = z.infer<typeof ResumePreview>;
export type MigrationPreview = z.infer<typeof MigrationPreview>;
export type SubflowView = z.infer<typeof SubflowView>;
export type RunDetailView = z.infer<typeof RunDetailView>;
export type SignalView = z.infer<typeof SignalView>;
export type RecheckView = z.infer<typeof RecheckView>;
