/** What the service of the webhook experiment serves: one hook for each signature scheme. */
import { defineConfig, flow, secret, signatures, webhook, z } from "sluice";
import type { SignatureCheck } from "../src/core/index.ts";

type Secrets = Parameters<typeof signatures.github>;

/** Set in the process after the rotation: the old secrets are removed from the configuration. */
export const rotatedVariable = "PROOF_SECRETS_ROTATED";

/** Where two schemes expect the service to be. */
export const publicUrl = "https://hooks.example.com";

/**
 * Twilio and SendGrid are missing: the one needs a digest in the address and the other a pair of keys, and both end in
 * the same code once the signature has matched.
 */
const checks: { readonly [path: string]: (...secrets: Secrets) => SignatureCheck } = {
  "standard-webhooks": signatures.standardWebhooks,
  slack: signatures.slack,
  zendesk: signatures.zendesk,
  github: signatures.github,
  stripe: signatures.stripe,
  "hubspot-v3": (...secrets) => signatures.hubspotV3({ secrets }),
  shopify: signatures.shopify,
  typeform: signatures.typeform,
  calendly: signatures.calendly,
  "hmac-sha256": (...secrets) => signatures.hmacSha256({ secrets }),
  bearer: signatures.bearer,
};

/** Names of the secrets of a hook, the newest first. */
export function secretNames(path: string): readonly [newest: string, older: string] {
  const name = path.toUpperCase().replaceAll("-", "_");
  return [`${name}_NEW`, `${name}_OLD`];
}

/** The hooks by path, with how each of them checks its deliveries. */
export const hooks: ReadonlyMap<string, SignatureCheck> = new Map(
  Object.entries(checks).map(([path, check]) => {
    const [newest, older] = secretNames(path);
    const old = process.env[rotatedVariable] ? [] : [secret(older)];
    return [path, check(secret(newest), ...old)];
  }),
);

const flows = [...hooks].map(([path, verify]) =>
  flow({
    name: `take-${path}`,
    trigger: webhook({ path, payload: z.json(), verify }),
    run: (_delivery, { step }) => step("take", async () => ({ taken: true })),
  }),
);

export default defineConfig({ flows, models: { fast: { provider: "simulated" } } });
