import type { Json } from "../core/index.ts";
import type { SandboxEffect } from "./state.ts";

/** The outside systems that the sandbox stands in for. */
export type SandboxSystem = "slack" | "hubspot" | "openai" | "anthropic" | "cohere";

/** One call as the record has it: what came in, what it changed, and what was answered. One line of `calls.jsonl`. */
export interface SandboxCall {
  /** From 1, in the order of arrival; counts on over restarts. */
  readonly number: number;
  /** ISO 8601, when the call had arrived whole. */
  readonly at: string;
  readonly system: SandboxSystem;
  readonly method: string;
  /** Path and query as received, such as `/slack/api/chat.postMessage`. */
  readonly path: string;
  /** In lower case; credentials are replaced by their digest. */
  readonly headers: { readonly [name: string]: string };
  /** Parsed JSON or form fields, an uploaded file as `{ filename, text }`; the text itself where it is none of these. */
  readonly body: Json;
  readonly idempotencyKey: string | null;
  /** HTTP status of the answer; null when the connection was reset without one. */
  readonly status: number | null;
  /** The body of the answer, also where a fault kept it from arriving whole. Vectors are left out. */
  readonly response: Json;
  /** What the stand-in said in headers, such as `retry-after` and its limits. */
  readonly responseHeaders?: { readonly [name: string]: string };
  /** Kind of the fault that was played. */
  readonly fault: string | null;
  /** What the call changed. Set also when the answer was lost: this settles exactly-once questions. */
  readonly effect: SandboxEffect | null;
}

/** A call as a stand-in is given it. */
export interface IncomingCall {
  readonly number: number;
  readonly at: Date;
  readonly system: SandboxSystem;
  readonly method: string;
  readonly path: string;
  /** The decoded path below the system's base address, without the query, such as `/crm/v3/objects/contacts`. */
  readonly resource: string;
  readonly query: URLSearchParams;
  readonly headers: { readonly [name: string]: string };
  readonly body: Json;
  readonly bodyState: "parsed" | "broken" | "too_large";
  /** What the system takes at most. */
  readonly maxBodyBytes: number;
  readonly idempotencyKey: string | null;
  /** The base address of the sandbox, for links in answers. */
  readonly origin: string;
}

/**
 * How an answer reaches the caller.
 * - `complete`: as it should.
 * - `reset`: the connection is reset without a byte.
 * - `truncated`: half of the body arrives, then the connection ends.
 * - `stalled`: half of the body arrives, then nothing for {@link Reply.stallMs}, then the rest.
 * - `trickled`: the body arrives in pieces, {@link Reply.stallMs} apart; an event stream event by event.
 */
export type Delivery = "complete" | "reset" | "truncated" | "stalled" | "trickled";

/** What a stand-in answers. */
export interface Reply {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  /** A string is sent as it is, anything else as JSON. */
  readonly body: Json;
  /** What the record keeps in place of a body that is large and says little. Default: the body. */
  readonly recorded?: Json;
  readonly effect?: SandboxEffect;
  /** Default: `complete`. */
  readonly delivery?: Delivery;
  /** Wait before the first byte. Default: 0. */
  readonly delayMs?: number;
  readonly stallMs?: number;
}

/** The tokens that the stand-ins accept. */
export interface SandboxCredentials {
  readonly slackToken: string;
  readonly hubspotToken: string;
  readonly openaiKey: string;
  readonly anthropicKey: string;
  readonly cohereKey: string;
}

/** What a model's answer consists of, whichever API it is written for. */
export interface ModelAnswer {
  readonly content: string | null;
  readonly finishReason: "stop" | "length" | "content_filter";
  readonly refusal?: string;
  /** The answer does not say what it used. */
  readonly usageMissing?: true;
}

/** Spoils the answer of a model; what it is given is what would have been answered. */
export type AnswerEdit = (natural: ModelAnswer & { readonly content: string }) => ModelAnswer;

/**
 * How a rate limit tells its wait.
 * - `retry-after`, `retry-after-ms`, `retry-after-date`: in that header, as seconds, milliseconds or HTTP date.
 * - `x-ratelimit-reset`: in the vendor's own headers: `1m30s` of OpenAI, an RFC 3339 time of Anthropic, a Unix time of Cohere.
 * - `retry-delay`: in the body, as Gemini does.
 * - `past`, `unreadable`: in `retry-after`, as a date that is over, or as words.
 * - `not-positive`: the vendor's headers say -1 and 0, as Azure's can.
 * - `none`: not at all.
 */
export type WaitForm =
  | "retry-after"
  | "retry-after-ms"
  | "retry-after-date"
  | "x-ratelimit-reset"
  | "retry-delay"
  | "past"
  | "unreadable"
  | "not-positive"
  | "none";

/** Settings of a fault; which of them count is said at the fault. */
export interface FaultParams {
  /** How long `slow` waits before the first byte, `stalled_body` in the middle, `trickled_body` between pieces. Default: 120,000, or as said at the fault. */
  readonly delayMs?: number;
  /** How long a rate limit asks to wait. Default: 1,000. */
  readonly retryAfterMs?: number;
  /** How the rate limit of a model says so. Default: `retry-after`. */
  readonly header?: WaitForm;
  /** Which part of a batch's requests fails, from 0 to 1. Default: 0.5. */
  readonly share?: number;
}

/** Plays a fault: answers in place of the stand-in, or spoils its answer. A fault that does not call `handle` has no effect. */
export type FaultPlay = (occurrence: {
  readonly call: IncomingCall;
  readonly params: FaultParams;
  /** Lets the stand-in answer. Only those of models take an edit. */
  readonly handle: (edit?: AnswerEdit) => Reply | Promise<Reply>;
}) => Reply | Promise<Reply>;

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(call: Pick<IncomingCall, "headers">): string | null {
  return /^Bearer\s+(\S+)$/i.exec(call.headers["authorization"] ?? "")?.[1] ?? null;
}
