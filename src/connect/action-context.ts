import { SluiceError, type SecretReference, type StepAttempt } from "../core/index.ts";
import type { ConnectRuntime } from "./connect-runtime.ts";
import { createGuardedFetch, type GuardedFetch } from "./http/guarded-fetch.ts";
import { Secret } from "./secret.ts";

/** The settings of one account of one outside system. */
export interface ConnectionSettings {
  /** Name of the connection, such as `slack` or `slack-sales`. */
  readonly name: string;
  /** Name of the connector, such as `slack`. */
  readonly connector: string;
  /** Where the system's API lives. The connection reaches no other origin. */
  readonly baseUrl: string;
  /** Secrets by field, such as `token`. */
  readonly secrets: { readonly [field: string]: SecretReference };
}

/** What an action works with during one attempt. */
export interface ActionContext {
  /** Connection and action, such as `slack.postMessage`; for messages. */
  readonly what: string;
  /** Base URL with a slash at its end: the connection's own, or the one put in its place. */
  readonly baseUrl: string;
  /** Guarded fetch that reaches only the base URL's origin and ends with the attempt. */
  readonly fetch: (input: string | URL, init?: RequestInit) => Promise<Response>;
  /** The same for all attempts of this call, and different for every other call: `run id/step path`. */
  readonly idempotencyKey: string;
  /**
   * A secret of the connection, fit for a header.
   *
   * @throws SECRET_MISSING when it is not set, CONFIG_INVALID when it holds characters that no header can.
   */
  secret(field: string): Secret;
}

/** Makes the context of one attempt of an action. */
export function createActionContext(
  settings: ConnectionSettings,
  action: string,
  runtime: ConnectRuntime,
  attempt: StepAttempt,
): ActionContext {
  const override = runtime.override(settings);
  const baseUrl = (override?.baseUrl ?? settings.baseUrl).replace(/\/?$/, "/");
  return {
    what: `${settings.name}.${action}`,
    baseUrl,
    fetch: (input, init) => fetchOf(runtime, baseUrl)(input, { ...init, signal: attempt.signal }),
    idempotencyKey: attempt.key,
    secret(field) {
      const given = override?.secrets?.[field];
      const reference = settings.secrets[field] ?? { secret: `${settings.name}.${field}` };
      return fitForHeader(given === undefined ? runtime.resolveSecret(reference) : new Secret(reference.secret, given));
    },
  };
}

/** One guarded fetch for each base URL of an application, so that sockets are reused. Idle ones close after seconds. */
const fetches = new WeakMap<ConnectRuntime, Map<string, GuardedFetch>>();

function fetchOf(runtime: ConnectRuntime, baseUrl: string): GuardedFetch {
  const known = fetches.get(runtime) ?? new Map<string, GuardedFetch>();
  fetches.set(runtime, known);
  const guarded =
    known.get(baseUrl) ?? createGuardedFetch({ allowedOrigins: runtime.allowedOrigins, onlyOrigins: [baseUrl] });
  known.set(baseUrl, guarded);
  return guarded;
}

/** Refused here, because the platform's own error would quote the value. */
function fitForHeader(secret: Secret): Secret {
  if (/^[\x21-\x7e]+$/.test(secret.reveal())) return secret;
  throw new SluiceError("CONFIG_INVALID", {
    message: `secret ${secret.name} holds characters that cannot be sent in a header`,
    hint: "Copy it again, without line breaks or spaces.",
  });
}
