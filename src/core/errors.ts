import type { Json } from "./json.ts";

/** What is known about an error code before it happens. */
interface CodeFacts {
  /** HTTP status when the error reaches a caller of the API. */
  readonly status: number;
  /** Whether the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean;
}

const fails = (status: number): CodeFacts => ({ status, retryable: false });
const passes = (status: number): CodeFacts => ({ status, retryable: true });

/** Every code Sluice can answer with. docs/errors.md has one heading for each; a rule test compares both ways. */
export const errorCodes = {
  // Incoming requests
  NOT_FOUND: fails(404),
  METHOD_NOT_ALLOWED: fails(405),
  HOOK_UNKNOWN: fails(404),
  SIGNATURE_MISSING: fails(401),
  SIGNATURE_INVALID: fails(401),
  SIGNATURE_EXPIRED: fails(401),
  DELIVERY_ID_INVALID: fails(400),
  HEADER_DUPLICATED: fails(400),
  BODY_NOT_JSON: fails(400),
  BODY_TOO_LARGE: fails(413),
  BODY_ENCODING_UNSUPPORTED: fails(415),
  CONTENT_TYPE_UNSUPPORTED: fails(415),
  PAYLOAD_INVALID: fails(422),
  REQUEST_INVALID: fails(422),
  HOST_NOT_ALLOWED: fails(421),
  ORIGIN_NOT_ALLOWED: fails(403),
  UNAUTHENTICATED: fails(401),
  FORBIDDEN: fails(403),
  SIGN_IN_FAILED: fails(401),
  SIGN_IN_THROTTLED: passes(429),
  SETUP_LINK_INVALID: fails(401),
  SETUP_ALREADY_DONE: fails(409),
  // The service itself
  INTERNAL: fails(500),
  SHUTTING_DOWN: passes(503),
  QUEUE_FULL: passes(503),
  DATABASE_UNAVAILABLE: passes(503),
  DATABASE_IN_USE: fails(500),
  DATABASE_TOO_OLD: fails(500),
  DATABASE_FOLDER_UNREACHABLE: fails(500),
  DATABASE_BINARIES_MISSING: fails(500),
  DATABASE_START_FAILED: fails(500),
  PORT_IN_USE: fails(500),
  NODE_TOO_OLD: fails(500),
  PEER_MISSING: fails(500),
  CONFIG_INVALID: fails(500),
  CONFIG_NOT_FOUND: fails(500),
  SECRET_MISSING: fails(500),
  KEY_INVALID: fails(500),
  KEY_MISMATCH: fails(500),
  CONTENT_ERASED: fails(410),
  CONTENT_UNREADABLE: fails(500),
  // Flows and runs
  FLOW_INVALID: fails(500),
  FLOW_UNKNOWN: fails(404),
  FLOW_CHANGED: fails(409),
  RUN_UNKNOWN: fails(404),
  RUN_NOT_RESUMABLE: fails(409),
  RUN_NOT_CANCELLABLE: fails(409),
  RUN_CANCELLED: fails(409),
  RUN_SET_ASIDE: fails(500),
  RUN_TAKEN_OVER: fails(409),
  RUN_TOO_DEEP: fails(500),
  RUN_NOT_MIGRATABLE: fails(409),
  OUTSIDE_RUN: fails(500),
  STEP_FAILED: fails(500),
  ITEMS_FAILED: fails(500),
  SUBFLOW_FAILED: fails(500),
  SIGNAL_TIMEOUT: fails(504),
  // Models
  MODEL_UNKNOWN: fails(500),
  MODEL_RATE_LIMITED: passes(429),
  MODEL_QUOTA_EXHAUSTED: fails(402),
  MODEL_UNAVAILABLE: passes(503),
  MODEL_TIMEOUT: passes(504),
  MODEL_AUTH_FAILED: fails(401),
  MODEL_REQUEST_REJECTED: fails(400),
  MODEL_CONTEXT_EXCEEDED: fails(400),
  MODEL_RETIRED: fails(404),
  MODEL_REFUSED: fails(422),
  MODEL_NOT_ALLOWED: fails(403),
  MODEL_PRICE_UNKNOWN: fails(500),
  MODEL_INPUT_UNSUPPORTED: fails(400),
  MODEL_LIMIT_TOO_LOW: fails(422),
  BUDGET_EXCEEDED: fails(402),
  MASKING_FAILED: fails(503),
  MASKING_BLOCKED: fails(422),
  OUTPUT_TRUNCATED: fails(502),
  OUTPUT_INVALID: fails(502),
  // The ledger
  SUBJECT_BUSY: fails(409),
  LEDGER_BROKEN: fails(500),
  // Outside systems
  EGRESS_REFUSED: fails(403),
  EGRESS_TIMEOUT: passes(504),
  EGRESS_FAILED: passes(502),
  RESPONSE_TOO_LARGE: fails(502),
  RESPONSE_INVALID: fails(502),
  ACTION_INPUT_INVALID: fails(422),
  ACTION_REJECTED: fails(502),
  ACTION_RATE_LIMITED: passes(429),
  ACTION_UNAVAILABLE: passes(503),
  CONNECTION_AUTH_FAILED: fails(502),
  EFFECT_IN_DOUBT: fails(409),
  EFFECT_NOT_DONE: fails(409),
  EFFECT_UNKNOWN: fails(404),
  EFFECT_NOT_IN_DOUBT: fails(409),
} as const satisfies Record<string, CodeFacts>;

/** A code of the registry. */
export type ErrorCode = keyof typeof errorCodes;

/** The parts of a {@link SluiceError}. */
export interface SluiceErrorParts {
  /** What happened, to which thing, the value, what was expected. Never holds a payload, prompt or secret. */
  readonly message: string;
  /** What the reader can do about it. */
  readonly hint?: string | undefined;
  /** Default: as the registry says for the code. */
  readonly retryable?: boolean | undefined;
  /** Milliseconds that the other side asked us to wait, counted from when the error was made. */
  readonly retryAfterMs?: number | undefined;
  /** JSON that is safe to log and to show. */
  readonly details?: Json | undefined;
  readonly cause?: unknown;
}

/** The JSON form of a {@link SluiceError}; what is stored in the engine's records. */
export interface SluiceErrorJson {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly details?: Json;
}

/**
 * The one error class of Sluice.
 *
 * @example
 * throw new SluiceError("RUN_UNKNOWN", { message: `run "${id}" does not exist`, hint: "List runs with: sluice runs" });
 */
export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: Json | undefined;

  constructor(code: ErrorCode, parts: SluiceErrorParts) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.hint = parts.hint;
    this.retryable = parts.retryable ?? errorCodes[code].retryable;
    this.retryAfterMs = parts.retryAfterMs;
    this.details = parts.details;
  }

  /** HTTP status of this error's code. */
  get status(): number {
    return errorCodes[this.code].status;
  }

  toJSON(): SluiceErrorJson {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.hint !== undefined && { hint: this.hint }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.details !== undefined && { details: this.details }),
    };
  }

  /** Rebuilds an error from its JSON form; the stack is that of the call. */
  static fromJSON(json: SluiceErrorJson): SluiceError {
    return new SluiceError(json.code, json);
  }
}

/**
 * Gives any thrown value as a {@link SluiceError}: itself when it is one, else wrapped with the original as `cause`.
 * The message of a foreign error is not copied unless `keepMessage` is set, because it may quote a payload.
 */
export function toSluiceError(thrown: unknown, code: ErrorCode = "INTERNAL", keepMessage = false): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  const message = keepMessage && thrown instanceof Error ? `${name}: ${thrown.message}` : `unexpected ${name}`;
  return new SluiceError(code, { message, cause: thrown });
}
