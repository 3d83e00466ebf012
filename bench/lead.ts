import { signatures, signSample } from "../src/triggers/index.ts";

const check = signatures.standardWebhooks({ secret: "BENCH_SECRET" });

/** A signed lead of a sender of its own, as it goes over the wire: about 280 bytes of JSON. */
export function signLead(secret: string, deliveryId: string): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify({
    name: "Jonas Weber",
    email: `${deliveryId}@example.com`,
    company: "Weber Maschinenbau",
    message:
      "We have 200 people on three sites and want to replace our lead handling this month. Could somebody call me " +
      "tomorrow morning about prices, single sign-on and where the data is kept?",
  });
  return { body, headers: signSample(check, secret, { body, sentAt: new Date(), deliveryId }) };
}
