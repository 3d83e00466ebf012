import { createSecretKey, hash } from "node:crypto";
import { isRecord, toCanonicalJson, type Json, type SignatureCheck, type SignatureScheme } from "../core/index.ts";
import {
  hasEqual,
  hmacScheme,
  isoClock,
  millisecondsClock,
  prefixed,
  secondsClock,
  textKey,
  timestampPairs,
  unusableSecret,
  versionedList,
  type DeliveryIdentity,
  type Scheme,
} from "./scheme.ts";
import { sendgrid } from "./sendgrid.ts";
import { twilio } from "./twilio.ts";

/** @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const standardWebhooks = hmacScheme({
  signatureHeader: "webhook-signature",
  timestampHeader: "webhook-timestamp",
  idHeaders: ["webhook-id"],
  signsId: true,
  clock: secondsClock,
  format: versionedList,
  encodings: ["base64"],
  content: ({ id = "", timestamp = "" }, { body }) => [`${id}.${timestamp}.`, body],
  toKey(secret) {
    const encoded = secret.startsWith("whsec_") ? secret.slice("whsec_".length) : "";
    const bytes = Buffer.from(encoded, "base64");
    // Node skips what is not base64, so a mistyped secret would silently become another key.
    const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded);
    if (isBase64 && bytes.length >= 24 && bytes.length <= 64) return createSecretKey(bytes);
    throw unusableSecret("is not whsec_ followed by the base64 of 24 to 64 bytes");
  },
});

/** @see https://docs.slack.dev/authentication/verifying-requests-from-slack */
const slack = hmacScheme({
  signatureHeader: "x-slack-signature",
  timestampHeader: "x-slack-request-timestamp",
  clock: secondsClock,
  format: prefixed("v0="),
  encodings: ["hex"],
  content: ({ timestamp = "" }, { body }) => [`v0:${timestamp}:`, body],
  identify: (payload) => fieldIdentity(payload, "event_id"),
});

/**
 * The invocation id is the same for all attempts, and is not covered by the signature.
 *
 * @see https://developer.zendesk.com/documentation/webhooks/verifying/
 */
const zendesk = hmacScheme({
  signatureHeader: "x-zendesk-webhook-signature",
  timestampHeader: "x-zendesk-webhook-signature-timestamp",
  idHeaders: ["x-zendesk-webhook-invocation-id"],
  clock: isoClock,
  format: prefixed(""),
  encodings: ["base64"],
  content: ({ timestamp = "" }, { body }) => [timestamp, body],
});

/**
 * The delivery id is not covered by the signature.
 *
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
const github = hmacScheme({
  signatureHeader: "x-hub-signature-256",
  idHeaders: ["x-github-delivery"],
  format: prefixed("sha256="),
  encodings: ["hex"],
  content: (_claim, { body }) => [body],
});

/**
 * Attempts of one event differ in `pending_webhooks`, so the event's id tells them apart and not the body.
 *
 * @see https://docs.stripe.com/webhooks#verify-manually
 */
const stripe = hmacScheme({
  signatureHeader: "stripe-signature",
  clock: secondsClock,
  format: timestampPairs,
  encodings: ["hex"],
  content: ({ timestamp = "" }, { body }) => [`${timestamp}.`, body],
  identify: (payload) => fieldIdentity(payload, "id"),
});

/**
 * Attempts of one batch differ in `attemptNumber`; HubSpot does not promise that `eventId` is unique.
 *
 * @see https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
 */
const hubspotV3 = hmacScheme({
  signatureHeader: "x-hubspot-signature-v3",
  timestampHeader: "x-hubspot-request-timestamp",
  signsUrl: true,
  clock: millisecondsClock,
  format: prefixed(""),
  encodings: ["base64"],
  content: ({ timestamp = "" }, { method, url, body }) => [method, decodeAsHubspot(url ?? ""), body, timestamp],
  identify: hubspotBatchIdentity,
});

/**
 * The webhook id is one delivery's, for all its attempts; several topics of one change share the event id.
 * Neither is covered by the signature.
 *
 * @see https://shopify.dev/docs/apps/build/webhooks/subscribe/https
 */
const shopify = hmacScheme({
  signatureHeader: "x-shopify-hmac-sha256",
  idHeaders: ["x-shopify-webhook-id", "x-shopify-event-id"],
  format: prefixed(""),
  encodings: ["base64"],
  content: (_claim, { body }) => [body],
});

/** @see https://www.typeform.com/developers/webhooks/secure-your-webhooks/ */
const typeform = hmacScheme({
  signatureHeader: "typeform-signature",
  format: prefixed("sha256="),
  encodings: ["base64"],
  content: (_claim, { body }) => [body],
  identify: (payload) => fieldIdentity(payload, "event_id"),
});

/** @see https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures */
const calendly = hmacScheme({
  signatureHeader: "calendly-webhook-signature",
  clock: secondsClock,
  format: timestampPairs,
  encodings: ["hex"],
  content: ({ timestamp = "" }, { body }) => [`${timestamp}.`, body],
});

/** HMAC-SHA256 of the body, in hexadecimal (lower case) or base64, with or without `sha256=` before it. */
const hmacSha256 = hmacScheme({
  signatureHeader: "x-signature",
  format: { ...prefixed(""), read: (value) => ({ signatures: [value.replace(/^sha256=/, "")] }) },
  encodings: ["hex", "base64"],
  content: (_claim, { body }) => [body],
});

/**
 * A token in `Authorization: Bearer`. It proves who calls and covers nothing else.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
const bearer: Scheme = {
  signatureHeader: "authorization",
  idHeaders: ["idempotency-key"],
  format: {
    read: (value) => ({ signatures: /^bearer +[\x21-\x7e]+$/i.test(value) ? [value.replace(/^bearer +/i, "")] : [] }),
    write: (token) => `Bearer ${token}`,
  },
  prepare(secret) {
    // Digests have one length, so that the comparison does not tell the token's.
    const expected = sha256Hex(textKey(secret).export());
    return ({ signatures }) => hasEqual(signatures.map(sha256Hex), expected);
  },
  sign: (secret) => `Bearer ${secret}`,
};

const schemes: { readonly [Name in SignatureScheme]: Scheme } = {
  "standard-webhooks": standardWebhooks,
  slack,
  zendesk,
  github,
  stripe,
  "hubspot-v3": hubspotV3,
  shopify,
  typeform,
  calendly,
  twilio,
  sendgrid,
  "hmac-sha256": hmacSha256,
  bearer,
};

/** Whether a text names a scheme of the table. */
export function isScheme(name: unknown): name is SignatureScheme {
  return typeof name === "string" && Object.hasOwn(schemes, name);
}

/** The row of the table for a check. */
export function schemeOf(check: SignatureCheck): Scheme {
  const scheme = schemes[check.scheme];
  if (check.scheme !== "hmac-sha256" || check.header === undefined) return scheme;
  return { ...scheme, signatureHeader: check.header.toLowerCase() };
}

/** SHA-256 in hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data);
}

/** HubSpot signs the address with these escapes undone and all others as they came. */
function decodeAsHubspot(url: string): string {
  return url.replaceAll(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, (escape) => decodeURIComponent(escape));
}

function hubspotBatchIdentity(payload: Json): DeliveryIdentity | null {
  if (!Array.isArray(payload)) return null;
  const events = payload.map((event: unknown) => (isRecord(event) ? { ...event, attemptNumber: 0 } : event));
  return { deliveryId: null, dedupKey: `batch:${sha256Hex(toCanonicalJson(events))}` };
}

function fieldIdentity(payload: Json, field: string): DeliveryIdentity | null {
  const id = isRecord(payload) && Object.hasOwn(payload, field) ? payload[field] : undefined;
  if (typeof id !== "string" || !/^[\x21-\x7e]{1,255}$/.test(id)) return null;
  return { deliveryId: id, dedupKey: `id:${id}` };
}
