import { z } from "zod";
import type { Json } from "../../core/index.ts";

/*
 * The shapes of the API, once: the routes check and document themselves with these, and the dashboard takes its types
 * from them. Times are ISO 8601 in UTC; durations are milliseconds; money is whole micro-dollars.
 */

const time = z.iso.datetime();

/** Any JSON. */
export const AnyJson: z.ZodType<Json> = z.json();

/** States of a run. */
export const runStatuses = ["queued", "running", "waiting", "succeeded", "failed", "cancelled", "in_doubt"] as const;
export const RunStatusView = z.enum(runStatuses);

/** Who goes first when runs wait for room. */
export const priorities = ["interactive", "standard", "batch"] as const;

/** What a person may say about an effect in doubt. */
export const rulingWords = ["done", "not_done", "try_again"] as const;

/** Roles, from the most to the least powerful. */
export const roles = ["admin", "builder", "operator", "approver", "auditor", "viewer"] as const;

/** application/problem+json. @see https://www.rfc-editor.org/rfc/rfc9457 */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  hint: z.string().optional(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** An error as runs and steps keep it. */
export const ErrorView = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  retryable: z.boolean(),
  details: AnyJson.optional(),
});

export const UserView = z.object({ id: z.string(), email: z.string(), name: z.string(), role: z.enum(roles) });

export const ModelView = z.object({
  /** Name in the configuration, such as `fast`. */
  name: z.string(),
  provider: z.string(),
  model: z.string(),
  simulated: z.boolean(),
  /** Why this model was chosen, in a few words. */
  reason: z.string(),
});

export const StatusView = z.object({
  version: z.string(),
  startedAt: time,
  /** Whether outside systems are the sandbox's stand-ins. */
  sandbox: z.boolean(),
  database: z.object({ kind: z.enum(["embedded", "external"]), version: z.string() }),
  models: z.array(ModelView),
  queuedRuns: z.int(),
});

export const TriggerView = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("webhook"),
    path: z.string(),
    /** Full address that senders use. */
    url: z.string(),
    /** Signature scheme; null when anyone may call. */
    scheme: z.string().nullable(),
  }),
  /** Started by this API, the command line, or another flow. */
  z.object({ kind: z.literal("call") }),
]);

export const FlowView = z.object({
  name: z.string(),
  description: z.string(),
  version: z.string(),
  trigger: TriggerView,
  minutesSaved: z.number(),
  /** Number of runs by state; states without runs are absent. */
  counts: z.partialRecord(RunStatusView, z.int()),
  /** Median from accepted to finished over the last day. */
  medianMs: z.number().nullable(),
  lastRunAt: time.nullable(),
});

/** All flows; `next` is always null. */
export const FlowPage = z.object({ items: z.array(FlowView), next: z.null() });

export const SampleView = z.object({ name: z.string(), payload: AnyJson });

export const RefusalView = z.object({ source: z.string(), code: z.string(), day: z.string(), count: z.int() });

export const FlowDetailView = FlowView.extend({
  /** JSON Schema of the payload. */
  payloadSchema: z.record(z.string(), AnyJson),
  samples: z.array(SampleView),
  /** Refused deliveries of the last seven days. */
  refusals: z.array(RefusalView),
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

const receiptState = z.enum(["intent", "done", "not_done", "unknown"]);
const effectKind = z.enum(["read", "write", "irreversible"]);

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

/**
 * What resuming does with an effect from the failed step on: `done` is given back from its receipt, `not_done` is tried,
 * and of one in doubt (`intent`, `unknown`) a `write` is repeated, while an `irreversible` one waits for a person's word.
 */
const effectInPreview = z.object({
  action: z.string(),
  key: z.string(),
  effect: effectKind,
  state: receiptState,
  /** Whether it may have happened and would be sent again, with the same key. */
  wouldRepeat: z.boolean(),
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
  /** Null unless the run is in doubt; with several effects in doubt, the first one. */
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

/** The first page of the dashboard: what needs a person first, then the last 24 hours. */
export const OverviewView = z.object({
  /** Failed and in-doubt runs, the newest first, at most 20. */
  needsAttention: z.array(RunView),
  counts: z.partialRecord(RunStatusView, z.int()),
  ai: z.object({
    calls: z.int(),
    failed: z.int(),
    inputTokens: z.int(),
    outputTokens: z.int(),
    costMicroUsd: z.int(),
    unpriced: z.int(),
  }),
  /** Repeats of deliveries that were suppressed. */
  duplicates: z.int(),
  /** Minutes of work that the succeeded runs replaced. */
  minutesSaved: z.number(),
  refusals: z.array(RefusalView),
});

export const Accepted = z.object({ runId: z.string(), duplicate: z.boolean() });

export const ApiKeyView = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  createdAt: time,
  lastUsedAt: time.nullable(),
  revokedAt: time.nullable(),
});

/** All keys, the newest first, revoked ones included; `next` is always null. */
export const ApiKeyPage = z.object({ items: z.array(ApiKeyView), next: z.null() });

/** `token` is shown once, here. */
export const CreatedApiKey = ApiKeyView.extend({ token: z.string() });

/** Whether a setup link can be used. */
export const SetupView = z.object({ live: z.boolean() });

/** Whether a signal was the first of its name for the run; a later one changes nothing. */
export const SignalView = z.object({ accepted: z.boolean() });

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

/** How many parked runs were woken to show whether they fit the flow's present code. */
export const RecheckView = z.object({ woken: z.int() });

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

/** One live event; its SSE id is `cursor`. */
export const ChangeView = z.object({
  topic: z.string(),
  runId: z.string().nullable(),
  data: AnyJson,
  at: time,
});

// What requests carry. Text that goes into a `text` column must not hold NUL, and no name needs a control character.
const line = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^\P{Cc}*$/u, "has a control character");

/** Longer texts would cost hashing time and win nothing. */
const longestPassword = 1024;

/** Creates the first user, an admin. `token` is that of the setup link. */
export const SetupRequest = z.object({
  token: line(200),
  name: line(100).trim().min(1),
  email: z.email().max(254),
  password: z.string().min(12).max(longestPassword),
});

export const SignInRequest = z.object({ email: line(254), password: z.string().max(longestPassword) });

/** An event for a flow, as its webhook would bring it. */
export const PayloadRequest = z.object({ payload: AnyJson });

/** Without `payload` the stored sample is sent as it is. */
export const SendSampleRequest = z.object({ payload: AnyJson.optional() });

export const SignalRequest = z.object({ value: AnyJson });

/** A person's word about an effect in doubt. `output`: what the step gives to the flow when it was done; default null. */
export const RuleRequest = z.object({
  key: line(200),
  word: z.enum(rulingWords),
  output: AnyJson.optional(),
});

/** Without `runIds`: all runs of the group, at most `limit`. */
export const ResumeFailuresRequest = z.object({
  runIds: z.array(line(64)).max(1000).optional(),
  limit: z.int().min(1).max(10_000).optional(),
});

export const CreateApiKeyRequest = z.object({ name: line(100).trim().min(1), role: z.enum(roles) });

export type UserView = z.infer<typeof UserView>;
export type StatusView = z.infer<typeof StatusView>;
export type ModelView = z.infer<typeof ModelView>;
export type FlowView = z.infer<typeof FlowView>;
export type FlowDetailView = z.infer<typeof FlowDetailView>;
export type FlowPage = z.infer<typeof FlowPage>;
export type SampleView = z.infer<typeof SampleView>;
export type EventView = z.infer<typeof EventView>;
export type ErrorView = z.infer<typeof ErrorView>;
export type ResumePreview = z.infer<typeof ResumePreview>;
export type RunView = z.infer<typeof RunView>;
export type RunPage = z.infer<typeof RunPage>;
export type StepView = z.infer<typeof StepView>;
export type AiCallView = z.infer<typeof AiCallView>;
export type RulingView = z.infer<typeof RulingView>;
export type QuestionView = z.infer<typeof QuestionView>;
export type SubflowView = z.infer<typeof SubflowView>;
export type MigrationPreview = z.infer<typeof MigrationPreview>;
export type FailureGroupView = z.infer<typeof FailureGroupView>;
export type FailurePage = z.infer<typeof FailurePage>;
export type FailureDetailView = z.infer<typeof FailureDetailView>;
export type GroupResumePreview = z.infer<typeof GroupResumePreview>;
export type ResumedView = z.infer<typeof ResumedView>;
export type RecheckView = z.infer<typeof RecheckView>;
export type QueueView = z.infer<typeof QueueView>;
export type ReceiptView = z.infer<typeof ReceiptView>;
export type RunDetailView = z.infer<typeof RunDetailView>;
export type OverviewView = z.infer<typeof OverviewView>;
export type ApiKeyView = z.infer<typeof ApiKeyView>;
export type ApiKeyPage = z.infer<typeof ApiKeyPage>;
export type SetupView = z.infer<typeof SetupView>;
export type SignalView = z.infer<typeof SignalView>;
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;
export type Accepted = z.infer<typeof Accepted>;
export type ChangeView = z.infer<typeof ChangeView>;
export type Problem = z.infer<typeof Problem>;
