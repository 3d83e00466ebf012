import { SluiceError, type ErrorCode, type Json } from "../core/index.ts";
import { readRetryAfterMs } from "./retry-after.ts";

/** An answer that is no success, as far as it may be told: never the body. */
export interface VendorRefusal {
  /** Connection and action, such as `slack.postMessage`. */
  readonly what: string;
  readonly status: number;
  readonly headers: Headers;
  /** The vendor's own code of the error, such as `channel_not_found`. */
  readonly vendorCode?: string | undefined;
  /** What the operator can do, where the connector knows better than the status. */
  readonly hint?: string | undefined;
  /** The class of the error, where the connector knows better than the status. */
  readonly code?: VendorErrorCode | undefined;
  /** How long to wait, where the body says it and no header does. */
  readonly retryAfterMs?: number | undefined;
  /** More that is safe to log. */
  readonly details?: { readonly [name: string]: Json };
}

/** The classes of a vendor's refusals. */
export type VendorErrorCode = Extract<
  ErrorCode,
  "CONNECTION_AUTH_FAILED" | "ACTION_RATE_LIMITED" | "ACTION_UNAVAILABLE" | "ACTION_REJECTED"
>;

/** Passing conditions among the statuses below 500; 477 is HubSpot's "migration in progress". */
const passing = new Set([408, 423, 425, 477]);

const meanings: { readonly [Code in VendorErrorCode]: { readonly text: string; readonly hint?: string } } = {
  CONNECTION_AUTH_FAILED: {
    text: "failed: the system refused the credentials",
    hint: "Check the connection's secret and its scopes.",
  },
  ACTION_RATE_LIMITED: { text: "was told to wait" },
  ACTION_UNAVAILABLE: { text: "failed: the system is unavailable" },
  ACTION_REJECTED: {
    text: "was rejected",
    hint: "The vendor's own code is in the details; its documentation says what it means.",
  },
};

/**
 * Makes the error of a vendor's answer: 401 and 403 CONNECTION_AUTH_FAILED, 429 ACTION_RATE_LIMITED, 5xx and a few passing
 * conditions ACTION_UNAVAILABLE, all else ACTION_REJECTED.
 */
export function toVendorError(refusal: VendorRefusal): SluiceError {
  const code = refusal.code ?? classOf(refusal.status);
  const { text, hint } = meanings[code];
  const waits = code === "ACTION_RATE_LIMITED" || code === "ACTION_UNAVAILABLE";
  const suffix = refusal.vendorCode === undefined ? "" : `, ${refusal.vendorCode}`;
  return new SluiceError(code, {
    message: `${refusal.what} ${text} (status ${refusal.status}${suffix})`,
    hint: refusal.hint ?? hint,
    retryAfterMs: waits ? (refusal.retryAfterMs ?? readRetryAfterMs(refusal.headers, Date.now())) : undefined,
    details: {
      ...refusal.details,
      status: refusal.status,
      ...(refusal.vendorCode !== undefined && { vendorCode: refusal.vendorCode }),
    },
  });
}

/**
 * Reads an answer's JSON.
 *
 * @throws RESPONSE_INVALID, to be tried again, when it is none: a proxy's page with status 200, or nothing.
 */
export async function readJson(what: string, response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SluiceError("RESPONSE_INVALID", {
      message: `${what} was answered with something other than JSON (status ${response.status})`,
      hint: "If it goes on, check the connection's base URL; a proxy may have answered in its place.",
      retryable: true,
      cause,
    });
  }
}

function classOf(status: number): VendorErrorCode {
  if (status === 401 || status === 403) return "CONNECTION_AUTH_FAILED";
  if (status === 429) return "ACTION_RATE_LIMITED";
  return status >= 500 || passing.has(status) ? "ACTION_UNAVAILABLE" : "ACTION_REJECTED";
}
