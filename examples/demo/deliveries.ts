import { randomBytes } from "node:crypto";
import { signSample } from "../../src/triggers/index.ts";
import { leadsForm } from "../connections.ts";
import { samples } from "../lead-routing/samples.ts";
import type { DemoApplication } from "./application.ts";

/** A delivery that the demo sends, and how it is to be answered. */
export interface Delivery {
  /** Stable; what the JSON document calls it. */
  readonly name: string;
  readonly title: string;
  readonly lead: (typeof samples)[keyof typeof samples];
  /** Name of the delivery that this one repeats. */
  readonly repeats?: string;
  /** Makes the body that is signed. Default: the lead as JSON. */
  readonly write?: (lead: Delivery["lead"]) => string;
  /** Changes the body after it was signed. */
  readonly tamper?: (body: string) => string;
  readonly expected: { readonly status: number; readonly code?: string };
}

/** How a delivery was answered. */
export interface Answer {
  readonly status: number;
  /** Of an accepted one. */
  readonly runId?: string;
  readonly duplicate?: boolean;
  /** Of a refused one. */
  readonly code?: string;
  /** Places that do not fit the schema. */
  readonly places: readonly string[];
  readonly tookMs: number;
}

const urgent = samples["urgent and large"];

export const deliveries: readonly Delivery[] = [
  { name: "urgent-lead", title: "An urgent, large lead", lead: urgent, expected: { status: 202 } },
  { name: "vague-lead", title: "A vague lead", lead: samples.vague, expected: { status: 202 } },
  { name: "support-request", title: "A support request", lead: samples["support request"], expected: { status: 202 } },
  {
    name: "duplicate-delivery",
    title: "The first delivery once more, as if its answer had been lost",
    lead: urgent,
    repeats: "urgent-lead",
    expected: { status: 200 },
  },
  {
    name: "bad-signature",
    title: "A lead that was changed after it was signed",
    lead: urgent,
    tamper: (body) => body.replace("850", "950"),
    expected: { status: 401, code: "SIGNATURE_INVALID" },
  },
  {
    name: "broken-payload",
    title: "A lead whose e-mail address is none",
    lead: urgent,
    write: (lead) => JSON.stringify({ ...lead, email: "call me" }),
    expected: { status: 422, code: "PAYLOAD_INVALID" },
  },
  {
    name: "broken-json",
    title: "A lead that was cut off",
    lead: urgent,
    write: (lead) => JSON.stringify(lead).slice(0, -20),
    expected: { status: 400, code: "BODY_NOT_JSON" },
  },
];

/** A delivery id by which runs of this folder's demos are known. */
export function createDeliveryId(folderId: string): string {
  return `${deliveryPrefix(folderId)}${randomBytes(12).toString("hex")}`;
}

export function deliveryPrefix(folderId: string): string {
  return `msg_${folderId}-`;
}

/** Sends a delivery as the form on the website would: over HTTP, signed now. */
export async function send(
  { app, hookUrl }: Pick<DemoApplication, "app" | "hookUrl">,
  delivery: Delivery,
  deliveryId: string,
): Promise<Answer> {
  const body = (delivery.write ?? JSON.stringify)(delivery.lead);
  const [secret] = leadsForm.secrets;
  const signed = { body, sentAt: new Date(), deliveryId };
  const headers = signSample(leadsForm, secret ? app.revealSecret(secret) : "", signed);
  const sentAt = performance.now();
  const response = await fetch(hookUrl, {
    method: "POST",
    headers,
    body: delivery.tamper?.(body) ?? body,
    signal: AbortSignal.timeout(30_000),
  });
  const answer = (await response.json()) as Partial<Answer> & { issues?: { path: string }[] };
  return {
    status: response.status,
    ...(answer.runId !== undefined && { runId: answer.runId, duplicate: answer.duplicate === true }),
    ...(answer.code !== undefined && { code: answer.code }),
    places: (answer.issues ?? []).map((issue) => issue.path),
    tookMs: performance.now() - sentAt,
  };
}
