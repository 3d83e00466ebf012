import type { ErrorCode } from "../src/core/index.ts";
import { type FaultParams, type FaultRule, faultKinds } from "../src/sandbox/index.ts";
import type { Price } from "./model-record.ts";

/** Providers whose stand-ins write text. */
export type Vendor = "openai" | "anthropic";

export const vendors: readonly Vendor[] = ["openai", "anthropic"];

/** Variable of the services' processes that says where the sandbox is. */
export const originVariable = "PROOF_SANDBOX_ORIGIN";

/** Of all models. */
export const price: Price = { inputUsdPerMillion: 2, outputUsdPerMillion: 8 };

/** Names of the keys of the models that many runs share. */
export const mixedKeys: { readonly [V in Vendor]: string } = {
  openai: "MIXED_OPENAI_KEY",
  anthropic: "MIXED_ANTHROPIC_KEY",
};

/** Waits are scaled down so that the experiment ends. Timeouts of the models are as well: see the configuration. */
const retryAfterMs = 1000;
const lateMs = 2500;
const trickleMs = 800;

type Group =
  | "wait"
  | "unannounced"
  | "quota"
  | "auth"
  | "outage"
  | "silence"
  | "cut"
  | "schema"
  | "refusal"
  | "context"
  | "gone"
  | "harmless";

/** How each kind of fault is to be taken: the table "What a model call can answer". */
const groups: { readonly [kind: string]: Group } = {
  rate_limit_exceeded: "wait",
  rate_limit_by_ms: "wait",
  rate_limit_by_date: "wait",
  rate_limit_by_reset: "wait",
  rate_limit_in_body: "wait",
  rate_limit_long_wait: "wait",
  rate_limit_without_wait: "unannounced",
  rate_limit_unreadable_wait: "unannounced",
  rate_limit_past_wait: "unannounced",
  rate_limit_not_positive: "unannounced",
  limits_not_positive: "harmless",
  limits_absent: "harmless",
  usage_missing: "harmless",
  malformed_json: "harmless",
  insufficient_quota: "quota",
  spend_limit_reached: "quota",
  payment_required: "quota",
  invalid_api_key: "auth",
  permission_denied: "auth",
  model_not_found: "gone",
  context_length_exceeded: "context",
  server_error: "outage",
  service_unavailable: "outage",
  overloaded: "outage",
  bad_gateway: "outage",
  gateway_timeout: "outage",
  html_200: "outage",
  empty_body: "outage",
  empty_content: "outage",
  stream_error: "outage",
  applied_then_no_answer: "outage",
  not_applied_reset: "outage",
  truncated_body: "outage",
  slow: "silence",
  late_answer: "silence",
  stalled_body: "silence",
  trickled_body: "silence",
  length: "cut",
  not_json: "schema",
  schema_mismatch: "schema",
  refusal: "refusal",
  content_filter: "refusal",
  prompt_filtered: "refusal",
};

/** With what a run may fail that met a fault of a group again and again, or once where asking again is no use. */
const failures: { readonly [G in Group]: readonly ErrorCode[] } = {
  wait: ["MODEL_RATE_LIMITED"],
  unannounced: ["MODEL_RATE_LIMITED"],
  quota: ["MODEL_QUOTA_EXHAUSTED"],
  auth: ["MODEL_AUTH_FAILED"],
  gone: ["MODEL_RETIRED"],
  context: ["MODEL_CONTEXT_EXCEEDED"],
  outage: ["MODEL_UNAVAILABLE"],
  // What stalls is told by the time, or by its connection, which then ends.
  silence: ["MODEL_TIMEOUT", "MODEL_UNAVAILABLE"],
  cut: ["OUTPUT_TRUNCATED"],
  schema: ["OUTPUT_INVALID"],
  refusal: ["MODEL_REFUSED"],
  harmless: [],
};

/** The codes with which a run may fail that met this fault. */
export function allowedFailures(kind: string): readonly ErrorCode[] {
  const group = groups[kind];
  return group === undefined ? [] : failures[group];
}

/** Whether the run fails that meets the fault once, with another model to ask. All others must come to their end. */
export function isFinal(kind: string): boolean {
  return groups[kind] === "refusal";
}

/** Batches are asked for otherwise, and have no one who waits. */
function kindsOf(vendor: Vendor): string[] {
  return faultKinds[vendor].filter((kind) => !kind.startsWith("batch"));
}

/** After these a whole key or model stands still for minutes: they are met once each, apart from the others. */
function stops(kind: string): boolean {
  return groups[kind] === "quota" || groups[kind] === "auth" || kind === "rate_limit_long_wait";
}

/** A fault that is met once, by the first request to a model that nobody else asks. */
export interface EachKind {
  readonly vendor: Vendor;
  readonly kind: string;
  /** Name of the model's key. */
  readonly key: string;
}

export const eachKinds: readonly EachKind[] = vendors.flatMap((vendor) =>
  kindsOf(vendor).map((kind) => ({ vendor, kind, key: `KEY_${vendor}_${kind}`.toUpperCase() })),
);

/** Name of the configured model whose first request meets a fault. */
export function modelName(vendor: Vendor, kind: string): string {
  return `${vendor}-${kind}${kind === "stream_error" ? "-stream" : ""}`;
}

/** Names of the configured models of which a share of the requests meets a fault. */
export const mixedNames: readonly string[] = ["mixed-0", "mixed-1", "mixed-2", "mixed-3"];

/** Names of the secrets of all models, by the vendor whose key they hold. */
export const keyNames: readonly (readonly [name: string, vendor: Vendor])[] = [
  ...vendors.map((vendor) => [mixedKeys[vendor], vendor] as const),
  ...eachKinds.map(({ key, vendor }) => [key, vendor] as const),
];

function paramsOf(kind: string): FaultParams {
  if (kind === "rate_limit_long_wait") return {};
  return { retryAfterMs, delayMs: kind === "trickled_body" ? trickleMs : lateMs };
}

function ruleOf(vendor: Vendor, kind: string, rule: Pick<FaultRule, "match" | "times" | "probability">): FaultRule {
  return { system: vendor, kind, params: paramsOf(kind), ...rule } as FaultRule;
}

const asking = (model: string) => ({ body: `"model":"${model}` });

/**
 * The faults of the experiment: of the requests to the shared models a share meets one, of a kind that is drawn; each kind is
 * met once by the model that is named after it; and where runs are to be parked, the wait is of ten minutes.
 */
export function planFaults(share: number): FaultRule[] {
  return vendors.flatMap((vendor) => {
    const mixed = kindsOf(vendor).filter((kind) => !stops(kind));
    // Each is drawn by itself, in turn: together they hit the share.
    const probability = 1 - (1 - share) ** (1 / mixed.length);
    return [
      ...kindsOf(vendor).map((kind) =>
        ruleOf(vendor, kind, { match: asking(`sandbox-${modelName(vendor, kind)}"`), times: 1 }),
      ),
      ruleOf(vendor, "rate_limit_long_wait", { match: asking("sandbox-parked") }),
      ...mixed.map((kind) => ruleOf(vendor, kind, { match: asking("sandbox-mixed"), probability })),
    ];
  });
}
