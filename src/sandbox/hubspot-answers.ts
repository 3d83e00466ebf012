import { randomUUID } from "node:crypto";
import type { Json, JsonObject } from "../core/index.ts";
import type { FaultPlay, IncomingCall, Reply } from "./exchange.ts";
import { commonFaults } from "./common-faults.ts";

const dailyLimit = 650_000;
/** Requests per ten seconds of a private app in a Professional account. @see https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines */
const windowLimit = 190;
const windowMs = 10_000;

function rateHeaders(dailyRemaining: number, windowRemaining: number): { [name: string]: string } {
  return {
    "x-hubspot-ratelimit-daily": String(dailyLimit),
    "x-hubspot-ratelimit-daily-remaining": String(dailyRemaining),
    "x-hubspot-ratelimit-interval-milliseconds": String(windowMs),
    "x-hubspot-ratelimit-max": String(windowLimit),
    "x-hubspot-ratelimit-remaining": String(windowRemaining),
  };
}

/** An answer that succeeded. The limits in its headers run out only by a fault; as in HubSpot, search sends none. */
export function okay(call: IncomingCall, body: JsonObject, status = 200): Reply {
  const limits = call.resource.endsWith("/search") ? {} : rateHeaders(dailyLimit - 1, windowLimit - 1);
  return { status, headers: limits, body };
}

/** HubSpot's shape of an error. @see https://developers.hubspot.com/docs/api-reference/error-handling */
function failed(status: number, category: string, message: string, more: JsonObject = {}): Reply {
  return { status, body: { status: "error", message, correlationId: randomUUID(), ...more, category } };
}

export function notFound(id: string): Reply {
  return failed(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.", { context: { id: [id] } });
}

export function conflict(message: string, category = "CONFLICT"): Reply {
  return failed(409, category, message);
}

export function invalidInput(message: string): Reply {
  return failed(400, "VALIDATION_ERROR", message);
}

export function unauthenticated(): Reply {
  return failed(
    401,
    "INVALID_AUTHENTICATION",
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
  );
}

/** One property value that HubSpot refuses. */
export interface PropertyProblem {
  readonly name: string;
  /** HubSpot's name of the problem, such as `PROPERTY_DOESNT_EXIST`. */
  readonly error: string;
  readonly message: string;
}

/** HubSpot writes the problems as JSON inside the message. */
export function invalidProperties(problems: readonly PropertyProblem[]): Reply {
  const listed: readonly Json[] = problems.map(({ name, error, message }) => ({
    isValid: false,
    message,
    error,
    name,
    localizedErrorMessage: message,
  }));
  return invalidInput(`Property values were not valid: ${JSON.stringify(listed)}`);
}

const limited =
  (policyName: "TEN_SECONDLY_ROLLING" | "DAILY"): FaultPlay =>
  ({ params }) => ({
    status: 429,
    headers: {
      ...(policyName === "DAILY" ? rateHeaders(0, windowLimit) : rateHeaders(dailyLimit - 1, 0)),
      ...(params.retryAfterMs !== undefined && { "retry-after": String(Math.ceil(params.retryAfterMs / 1000)) }),
    },
    body: {
      status: "error",
      message: `You have reached your ${policyName.toLowerCase()} limit.`,
      errorType: "RATE_LIMIT",
      correlationId: randomUUID(),
      policyName,
    },
  });

/** The faults of HubSpot's stand-in. */
export const hubspotFaults = {
  ...commonFaults,
  /** Status 429, policy `TEN_SECONDLY_ROLLING`; with a `Retry-After` only where `retryAfterMs` is given. */
  ten_secondly_rolling: limited("TEN_SECONDLY_ROLLING"),
  /** Status 429, policy `DAILY`: the quota is spent until midnight. */
  daily: limited("DAILY"),
  invalid_authentication: unauthenticated,
  missing_scopes: () =>
    failed(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.", {
      errors: [
        {
          message: "One or more of the following scopes are required.",
          context: { requiredGranularScopes: ["crm.objects.contacts.write"] },
        },
      ],
    }),
  object_not_found: ({ call }) => notFound(call.resource.split("/").at(-1) ?? ""),
  validation_error: () => invalidInput("Invalid input (details will vary based on the error)"),
  server_error: () => failed(500, "INTERNAL_ERROR", "internal error"),
  service_unavailable: () => failed(503, "SERVICE_UNAVAILABLE", "service unavailable"),
  /** A search that does not know yet what was just written: HubSpot's index lags by up to 30 s. */
  search_stale: ({ call, handle }) =>
    call.resource.endsWith("/search") ? okay(call, { total: 0, results: [] }) : handle(),
} as const satisfies Record<string, FaultPlay>;
