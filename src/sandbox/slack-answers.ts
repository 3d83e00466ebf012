import type { JsonObject } from "../core/index.ts";
import { commonFaults } from "./common-faults.ts";
import type { FaultPlay, Reply } from "./exchange.ts";

const scopes = { "x-oauth-scopes": "chat:write,channels:read,channels:history,users:read" };

export function accepted(body: JsonObject): Reply {
  return { status: 200, headers: scopes, body: { ok: true, ...body } };
}

/** Slack answers an error with status 200. */
export function refused(error: string, more: JsonObject = {}): Reply {
  return { status: 200, headers: scopes, body: { ok: false, error, ...more } };
}

const refuses =
  (error: string, more?: JsonObject): FaultPlay =>
  () =>
    refused(error, more);

/** The faults of Slack's stand-in. @see https://docs.slack.dev/reference/methods/chat.postMessage#errors */
export const slackFaults = {
  ...commonFaults,
  /** Status 429 with `Retry-After` in whole seconds, from `retryAfterMs`. */
  ratelimited: ({ params }) => ({
    status: 429,
    headers: { "retry-after": String(Math.ceil((params.retryAfterMs ?? 1000) / 1000)) },
    body: { ok: false, error: "ratelimited" },
  }),
  invalid_auth: refuses("invalid_auth"),
  token_revoked: refuses("token_revoked"),
  account_inactive: refuses("account_inactive"),
  missing_scope: refuses("missing_scope", { needed: "chat:write", provided: "channels:read" }),
  channel_not_found: refuses("channel_not_found"),
  not_in_channel: refuses("not_in_channel"),
  is_archived: refuses("is_archived"),
  msg_too_long: refuses("msg_too_long"),
  restricted_action: refuses("restricted_action"),
  internal_error: refuses("internal_error"),
  fatal_error: refuses("fatal_error"),
  server_error: () => ({ status: 500, body: { ok: false, error: "internal_error" } }),
  service_unavailable: () => ({ status: 503, body: { ok: false, error: "service_unavailable" } }),
} as const satisfies Record<string, FaultPlay>;
