import type { Duration } from "./duration.ts";
import type { Json } from "./json.ts";
import type { Schema } from "./schema.ts";

/** A secret by the name under which the environment or the secret store has it. Never the value. */
export interface SecretReference {
  readonly secret: string;
}

/** Names a secret. Its value is looked up where it is used, and is never handed to flow code. */
export function secret(name: string): SecretReference {
  return { secret: name };
}

/** The schemes of webhook signatures that Sluice checks. */
export type SignatureScheme =
  | "standard-webhooks"
  | "slack"
  | "zendesk"
  | "github"
  | "stripe"
  | "hubspot-v3"
  | "shopify"
  | "typeform"
  | "calendly"
  | "twilio"
  | "sendgrid"
  | "hmac-sha256"
  | "bearer";

/** How a webhook proves who sent it. */
export interface SignatureCheck {
  readonly scheme: SignatureScheme;
  /** All live secrets, the newest first. More than one while a secret is being rotated. */
  readonly secrets: readonly SecretReference[];
  /** How far the sender's clock may be off. Default: 300 s, as the schemes' documents say. */
  readonly tolerance?: Duration;
  /** Header with the signature; only for `hmac-sha256`. Default: `x-signature`. */
  readonly header?: string;
  /** The address that the sender signed, where it differs from `SLUICE_PUBLIC_URL` + path (HubSpot and Twilio sign it). */
  readonly publicUrl?: string;
}

/** A flow started by an HTTP request to `POST /hooks/{path}`. */
export interface WebhookTrigger<Payload = unknown> {
  readonly kind: "webhook";
  /** One or more segments of `a-z 0-9 - _`, such as `leads` or `crm/contacts`. */
  readonly path: string;
  readonly payload: Schema<Payload>;
  /** Who may call; `{ allowUnsigned: true }` lets anyone in, and is logged at every start. */
  readonly verify: SignatureCheck | { readonly allowUnsigned: true };
  /** Payloads to test with, by name; the first is what "send a sample" offers. */
  readonly samples: { readonly [name: string]: Json };
}

/** A flow that is started by the run API, the command line, or another flow. */
export interface CallTrigger<Payload = unknown> {
  readonly kind: "call";
  readonly payload: Schema<Payload>;
  /** Payloads to test with, by name. */
  readonly samples: { readonly [name: string]: Json };
}

/** Whatever starts a flow. */
export type Trigger<Payload = unknown> = WebhookTrigger<Payload> | CallTrigger<Payload>;
