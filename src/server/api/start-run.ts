import { randomUUID } from "node:crypto";
import { digestOf, parseSchema, SluiceError, type Json } from "../../core/index.ts";
import type { FlowInfo, ServerPorts } from "../ports.ts";
import type { Accepted } from "./schemas.ts";

/** What {@link startRun} takes. */
export interface StartRequest {
  readonly info: FlowInfo;
  readonly payload: Json;
  /** Where it came in; the idempotency key is unique within it. */
  readonly source: string;
  readonly sample: boolean;
  /** Null: never a duplicate. */
  readonly idempotencyKey: string | null;
}

/**
 * Commits an event with its run, as a webhook would, and tells the engine.
 *
 * @throws PAYLOAD_INVALID, FLOW_INVALID; QUEUE_FULL, DATABASE_UNAVAILABLE: then nothing was started.
 */
export async function startRun(ports: ServerPorts, request: StartRequest): Promise<Accepted> {
  const { info, payload, source, sample, idempotencyKey } = request;
  await checkPayload(info, payload);
  return ports.engine.accept({
    flow: info.flow.name,
    source,
    dedupKey: `id:${idempotencyKey ?? randomUUID()}`,
    deliveryId: idempotencyKey,
    bodyDigest: digestOf(payload),
    payload,
    sample,
    receivedAt: new Date(),
  });
}

/** Checks a payload against the flow's schema. @throws PAYLOAD_INVALID with the paths that do not fit. */
export async function checkPayload({ flow, trigger }: FlowInfo, payload: Json): Promise<void> {
  await parseSchema(trigger.payload, payload, {
    code: "PAYLOAD_INVALID",
    what: `the payload for flow ${flow.name}`,
    hint: "Compare the fields named in issues with the flow's payload schema.",
  });
}

/**
 * Reads an `Idempotency-Key` header.
 *
 * @throws DELIVERY_ID_INVALID
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function readIdempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new SluiceError("DELIVERY_ID_INVALID", {
    message: "the Idempotency-Key header is not usable",
    hint: "Use 1 to 255 printable ASCII characters without spaces, such as a UUID.",
  });
}
