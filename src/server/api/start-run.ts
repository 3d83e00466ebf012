import { randomUUID } from "node:crypto";
import { digestOf, isRecord, parseSchema, SluiceError, type Json } from "../../core/index.ts";
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
 * @throws PAYLOAD_INVALID, FLOW_INVALID; DATABASE_UNAVAILABLE: then nothing was started.
 */
export async function startRun(ports: ServerPorts, request: StartRequest): Promise<Accepted> {
  const { info, payload, source, sample, idempotencyKey } = request;
  const accepted = await ports.workspace.events.accept({
    flow: info.flow.name,
    source,
    dedupKey: `id:${idempotencyKey ?? randomUUID()}`,
    deliveryId: idempotencyKey,
    bodyDigest: digestOf(payload),
    payload: await checkPayload(info, payload),
    sample,
    receivedAt: new Date(),
  });
  if (!accepted.duplicate) ports.engine.notifyQueued();
  return accepted;
}

/**
 * Gives a payload as the flow's schema gives it.
 *
 * @throws PAYLOAD_INVALID with the paths that do not fit; FLOW_INVALID when the schema gives something that JSON cannot hold.
 */
export async function checkPayload({ flow, trigger }: FlowInfo, payload: Json): Promise<Json> {
  const checked: unknown = await parseSchema(trigger.payload, payload, {
    code: "PAYLOAD_INVALID",
    what: `the payload for flow ${flow.name}`,
    hint: "Compare the fields named in issues with the flow's payload schema.",
  });
  if (isJson(checked)) return checked;
  throw new SluiceError("FLOW_INVALID", {
    message: `the payload schema of flow ${flow.name} gives something that is not JSON`,
    hint: "Let the schema give JSON only, such as a date as text; convert inside the flow.",
  });
}

/** An absent optional field may be there as undefined; JSON leaves it out. */
function isJson(value: unknown): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isRecord(value) && Object.values(value).every((item) => item === undefined || isJson(item));
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
