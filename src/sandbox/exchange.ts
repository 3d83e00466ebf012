import type { Json } from "../core/index.ts";
import type { SandboxEffect } from "./state.ts";

/** The outside systems that the sandbox stands in for. */
export type SandboxSystem = "slack" | "hubspot" | "openai";

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
  /** Parsed JSON or form fields; the text itself where it is neither. */
  readonly body: Json;
  readonly idempotencyKey: string | null;
  /** HTTP status of the answer; null when the connection was reset without one. */
  readonly status: number | null;
  /** The body of the answer, also where a fault kept it from arriving whole. */
  readonly response: Json;
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
 */
export type Delivery = "complete" | "reset" | "truncated" | "stalled";

/** What a stand-in answers. */
export interface Reply {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  /** A string is sent as it is, anything else as JSON. */
  readonly body: Json;
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
}

/** What a model's answer consists of. */
export interface ModelAnswer {
  readonly content: string | null;
  readonly finishReason: "stop" | "length" | "content_filter";
  readonly refusal?: string;
}

/** Spoils the answer of a model; what it is given is the text that would have been answered. */
export type AnswerEdit = (content: string) => ModelAnswer;

/** Settings of a fault; which of them count is said at the fault. */
export interface FaultParams {
  /** How long `slow` waits before the first byte, or `stalled_body` in the middle. Default: 120,000. */
  readonly delayMs?: number;
  /** How long a rate limit asks to wait. Default: 1,000. */
  readonly retryAfterMs?: number;
  /** How OpenAI's rate limit says so. Default: `retry-after`. */
  readonly header?: "retry-after" | "retry-after-ms" | "retry-after-date" | "x-ratelimit-reset" | "none";
}

/** Plays a fault: answers in place of the stand-in, or spoils its answer. A fault that does not call `handle` has no effect. */
export type FaultPlay = (occurrence: {
  readonly call: IncomingCall;
  readonly params: FaultParams;
  /** Lets the stand-in answer. Only OpenAI's takes an edit. */
  readonly handle: (edit?: AnswerEdit) => Reply | Promise<Reply>;
}) => Reply | Promise<Reply>;

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(call: Pick<IncomingCall, "headers">): string | null {
  return /^Bearer\s+(\S+)$/i.exec(call.headers["authorization"] ?? "")?.[1] ?? null;
}
