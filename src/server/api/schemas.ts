import { z } from "zod";
import { AnyJson, RunStatusView, RunView } from "./run-schemas.ts";
import { line, time } from "./schema-parts.ts";

export * from "./failure-schemas.ts";
export * from "./gateway-schemas.ts";
export * from "./question-schemas.ts";
export * from "./run-schemas.ts";

/*
 * The shapes of the API, once: the routes check and document themselves with these, and the dashboard takes its types
 * from them. Times are ISO 8601 in UTC; durations are milliseconds; money is whole micro-dollars.
 */

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

/** The first page of the dashboard: what needs a person first, then the last 24 hours. */
export const OverviewView = z.object({
  /** Failed and in-doubt runs, the newest first, at most 20. */
  needsAttention: z.array(RunView),
  /** How many runs wait for a person's answer, effects in doubt included; see `listQuestions`. */
  questions: z.int(),
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

/** One live event; its SSE id is `cursor`. */
export const ChangeView = z.object({
  topic: z.string(),
  runId: z.string().nullable(),
  data: AnyJson,
  at: time,
});

// What requests carry.

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

export const CreateApiKeyRequest = z.object({ name: line(100).trim().min(1), role: z.enum(roles) });

export type UserView = z.infer<typeof UserView>;
export type StatusView = z.infer<typeof StatusView>;
export type ModelView = z.infer<typeof ModelView>;
export type FlowView = z.infer<typeof FlowView>;
export type FlowDetailView = z.infer<typeof FlowDetailView>;
export type FlowPage = z.infer<typeof FlowPage>;
export type SampleView = z.infer<typeof SampleView>;
export type OverviewView = z.infer<typeof OverviewView>;
export type ApiKeyView = z.infer<typeof ApiKeyView>;
export type ApiKeyPage = z.infer<typeof ApiKeyPage>;
export type SetupView = z.infer<typeof SetupView>;
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;
export type Accepted = z.infer<typeof Accepted>;
export type ChangeView = z.infer<typeof ChangeView>;
export type Problem = z.infer<typeof Problem>;
