import type { ColumnType, Generated } from "kysely";
import type {
  AnswerRung,
  EffectKind,
  EffectRuling,
  Json,
  ReceiptState,
  SentField,
  StepKind,
  WaitReason,
} from "../core/index.ts";

/** JSON goes in as text (see the note on `json` in migration 0001) and comes out parsed. */
type JsonColumn<T = Json> = ColumnType<T, string, string>;
type NullableJsonColumn<T = Json> = ColumnType<T | null, string | null | undefined, string | null>;

/** States of a run. See ARCHITECTURE.md, "the life of a run". */
export type RunStatus = "queued" | "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "in_doubt";

/** States of a step. `waiting`: until its `wakeAt` (a retry or a sleep), or for a signal. `reopened`: it failed and is to be done again. */
export type StepStatus = "running" | "waiting" | "succeeded" | "failed" | "reopened";

/** What a process does: execute runs, serve requests, or both. */
export type ProcessRole = "all" | "web" | "worker";

/** What a person of a role may do is decided in the server room. */
export type Role = "admin" | "builder" | "operator" | "approver" | "auditor" | "viewer";

/** The tables of schema `sluice`, for the query builder. Names follow migration 0001; the pool turns them to camel case. */
export interface Tables {
  workspaces: { id: string; createdAt: Generated<Date> };
  events: {
    workspaceId: string;
    id: string;
    flow: string;
    source: string;
    dedupKey: string;
    deliveryId: string | null;
    bodyDigest: string;
    payload: JsonColumn;
    runId: string;
    sample: boolean;
    duplicates: Generated<number>;
    lastDuplicateAt: Date | null;
    receivedAt: Date;
    /** The seed of the key that the run's content is sealed with. Null: from before content was sealed, or erased. */
    contentKey: string | null;
    erasedAt: Date | null;
  };
  runs: {
    workspaceId: string;
    id: string;
    flow: string;
    flowVersion: string | null;
    eventId: string;
    status: RunStatus;
    executor: string | null;
    recoveries: Generated<number>;
    resumes: Generated<number>;
    /** Executed against the stand-ins, by processes that use them; never against the real systems. */
    sandbox: boolean;
    output: NullableJsonColumn;
    error: NullableJsonColumn;
    /** Path of the step that failed the run. */
    failedStep: string | null;
    queuedAt: Date;
    startedAt: Date | null;
    finishedAt: Date | null;
    /** 0 interactive, 1 standard, 2 batch. */
    priority: Generated<number>;
    /** A keyed digest, or empty. Null: the flow had no limit when the run was accepted. */
    concurrencyKey: string | null;
    /** Fencing token: grows whenever another execution takes the run on. */
    epoch: Generated<number>;
    /** How many values from outside have come for the run, ends of sub-flows included. */
    signals: Generated<number>;
    /** When a parked run goes on by itself. */
    wakeAt: Date | null;
    claimedAt: Date | null;
    parentRunId: string | null;
    parentPath: string | null;
    depth: Generated<number>;
    /** Numbers of the steps from which migrations let the run go on anew. */
    cuts: Generated<number[]>;
    fingerprint: string | null;
    /** Deaths of its process in a row, without a step of it ending in between. */
    suspicion: Generated<number>;
    /** Such deaths while it was the only one under suspicion. */
    blames: Generated<number>;
  };
  flowStarts: { flow: string; startedAt: Date };
  steps: {
    workspaceId: string;
    runId: string;
    path: string;
    name: string;
    kind: StepKind;
    status: StepStatus;
    attempts: JsonColumn;
    wakeAt: Date | null;
    /** Why it waits, where that is not told by its kind. */
    waitReason: WaitReason | null;
    input: NullableJsonColumn;
    output: NullableJsonColumn;
    error: NullableJsonColumn;
    startedAt: Date;
    finishedAt: Date | null;
  };
  aiCalls: {
    workspaceId: string;
    id: string;
    runId: string;
    stepPath: string;
    attempt: number;
    modelName: string;
    provider: string;
    model: string;
    simulated: boolean;
    sentFields: JsonColumn<SentField[]>;
    availableFields: number;
    region: string | null;
    /** 0 interactive, 1 standard, 2 batch. */
    lane: number;
    masked: JsonColumn<{ [kind: string]: number }>;
    estimated: boolean;
    reservedMicroUsd: number | null;
    waitedMs: number;
    promptVersion: string;
    request: JsonColumn;
    requestDigest: string;
    response: NullableJsonColumn;
    status: "intent" | "succeeded" | "failed";
    rung: AnswerRung | null;
    inputTokens: number | null;
    outputTokens: number | null;
    costMicroUsd: number | null;
    error: NullableJsonColumn;
    startedAt: Date;
    finishedAt: Date | null;
  };
  vaults: { workspaceId: string; runId: string; sealed: JsonColumn; expiresAt: Date };
  batchItems: {
    workspaceId: string;
    callId: string;
    runId: string;
    ticket: string;
    provider: string;
    model: string;
    modelName: string;
    sandbox: boolean;
    state: "waiting" | "submitting" | "submitted" | "done" | "failed";
    body: NullableJsonColumn;
    answer: NullableJsonColumn;
    batchId: string | null;
    stateSince: Generated<Date>;
    createdAt: Generated<Date>;
  };
  effects: {
    workspaceId: string;
    key: string;
    runId: string;
    stepPath: string;
    connection: string;
    action: string;
    effect: EffectKind;
    state: ReceiptState;
    requestDigest: string;
    request: JsonColumn;
    response: NullableJsonColumn;
    attempts: number;
    ruling: NullableJsonColumn<EffectRuling>;
    startedAt: Date;
    finishedAt: Date | null;
  };
  signals: { workspaceId: string; runId: string; name: string; value: JsonColumn; receivedAt: Generated<Date> };
  samples: { workspaceId: string; flow: string; name: string; payload: JsonColumn; updatedAt: Generated<Date> };
  refusals: { workspaceId: string; source: string; code: string; day: string; count: number };
  users: {
    workspaceId: string;
    id: string;
    email: string;
    name: string;
    role: Role;
    passwordHash: string;
    createdAt: Generated<Date>;
  };
  sessions: {
    workspaceId: string;
    tokenDigest: string;
    userId: string;
    createdAt: Generated<Date>;
    seenAt: Generated<Date>;
    expiresAt: Date;
  };
  setupTokens: { workspaceId: string; tokenDigest: string; expiresAt: Date; usedAt: Date | null };
  apiKeys: {
    workspaceId: string;
    id: string;
    name: string;
    tokenDigest: string;
    role: Role;
    createdAt: Generated<Date>;
    lastUsedAt: Date | null;
    revokedAt: Date | null;
  };
  processes: {
    executor: string;
    lockKey: number;
    sandbox: boolean;
    pid: number;
    startedAt: Generated<Date>;
    endedAt: Date | null;
    /** Grows while the process lives. */
    beat: Generated<number>;
    role: Generated<ProcessRole>;
    /** Names of the flows that it knows. */
    flows: Generated<string[]>;
  };
  changes: {
    workspaceId: string;
    id: Generated<number>;
    tx: Generated<string>;
    topic: string;
    runId: string | null;
    data: JsonColumn;
    at: Generated<Date>;
  };
}
