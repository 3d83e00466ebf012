import { signSample } from "../src/triggers/index.ts";
import { leadsForm } from "../examples/connections.ts";
import { samples } from "../examples/lead-routing/samples.ts";

/** A signed lead of a sender of its own, as it goes over the wire. */
export function signLead(secret: string, deliveryId: string): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify({ ...samples["urgent and large"], email: `${deliveryId}@example.com` });
  return { body, headers: signSample(leadsForm, secret, { body, sentAt: new Date(), deliveryId }) };
}
