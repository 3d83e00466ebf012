import type { SecretReference, SignatureCheck, SignatureScheme } from "../core/index.ts";
import { isScheme } from "./schemes.ts";

/** Live secrets, the newest first; name the old one too until the sender has switched. */
type Secrets = readonly [newest: SecretReference, ...older: SecretReference[]];

/** A scheme that signs the address of the hook. */
interface AddressedOptions {
  /** All live secrets, the newest first. */
  readonly secrets: Secrets;
  /** The hook's full address without query, as the sender has it. Default: `SLUICE_PUBLIC_URL` and the hook's path. */
  readonly publicUrl?: string;
}

const withSecrets =
  (scheme: SignatureScheme) =>
  (...secrets: Secrets): SignatureCheck => ({ scheme, secrets });

const withAddress =
  (scheme: SignatureScheme) =>
  (options: AddressedOptions): SignatureCheck => ({ scheme, ...options });

/**
 * How a webhook proves who sent it: one function for each kind of sender.
 *
 * @example
 * const leads = webhook({ path: "leads", payload: Lead, verify: signatures.standardWebhooks(secret("LEADS_SECRET")) });
 * const crm = webhook({ path: "crm", payload: Events, verify: signatures.hubspotV3({ secrets: [secret("HUBSPOT_SECRET")] }) });
 */
export const signatures = {
  /** Any sender that follows Standard Webhooks (symmetric `v1`). Secrets are `whsec_...`. */
  standardWebhooks: withSecrets("standard-webhooks"),
  /** Slack's signing secret. The `url_verification` challenge is answered without starting a run. */
  slack: withSecrets("slack"),
  /** Zendesk's signing secret of the webhook. */
  zendesk: withSecrets("zendesk"),
  /** The secret typed in at GitHub. */
  github: withSecrets("github"),
  /** Stripe's endpoint secret (`whsec_...`, used as it stands). */
  stripe: withSecrets("stripe"),
  /** The client secret of the HubSpot app. The hook's address is signed. */
  hubspotV3: withAddress("hubspot-v3"),
  /** The client secret of the Shopify app. */
  shopify: withSecrets("shopify"),
  /** The secret typed in at Typeform. */
  typeform: withSecrets("typeform"),
  /** The signing key of the Calendly subscription. */
  calendly: withSecrets("calendly"),
  /** The auth token of the Twilio account. The hook's address is signed. */
  twilio: withAddress("twilio"),
  /** SendGrid's verification key; a public key, named like a secret so that it can be changed without code. */
  sendgrid: withSecrets("sendgrid"),
  /** HMAC-SHA256 of the body in a header of your choice (default `x-signature`), hexadecimal or base64. */
  hmacSha256: (options: { readonly secrets: Secrets; readonly header?: string }): SignatureCheck => ({
    scheme: "hmac-sha256",
    ...options,
  }),
  /** `Authorization: Bearer TOKEN`. An `Idempotency-Key` header, when sent, tells deliveries apart. */
  bearer: withSecrets("bearer"),
} as const;

/** What is wrong with a check, in words that follow its name; null when nothing is. */
export function findCheckProblem(check: Partial<SignatureCheck>): string | null {
  if (!isScheme(check.scheme)) return `names the unknown signature scheme ${JSON.stringify(check.scheme)}`;
  const { secrets, header, publicUrl } = check;
  if (!Array.isArray(secrets) || secrets.length === 0) return "has no secret";
  if (
    !secrets.every(
      (reference: Partial<SecretReference> | null) => typeof reference?.secret === "string" && reference.secret !== "",
    )
  )
    return 'has a secret that is not of the form secret("NAME")';
  if (header !== undefined && !/^[\w-]+$/.test(header))
    return `reads the header ${JSON.stringify(header)}, which is no header name`;
  if (publicUrl !== undefined && !/^https?:\/\/[^?#]+$/.test(publicUrl))
    return `has the public address ${JSON.stringify(publicUrl)}, which is not http(s) without query`;
  return null;
}
