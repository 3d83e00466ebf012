import { SluiceError } from "../core/index.ts";
import type { RawRequest } from "./raw-request.ts";
import type { DeliveryIdentity, Scheme } from "./scheme.ts";

/**
 * Gives the identity that a scheme's headers hold; null when none of them is there.
 *
 * @throws DELIVERY_ID_INVALID when the id has a full stop, a space, a control or non-ASCII character, or is over 255 long.
 */
export function headerIdentity(scheme: Scheme, request: RawRequest): DeliveryIdentity | null {
  for (const name of scheme.idHeaders) {
    const id = request.header(name);
    if (!id) continue;
    // Standard Webhooks joins id, timestamp and body with full stops; an id with one could stand for another division.
    if (/^[\x21-\x2d\x2f-\x7e]{1,255}$/.test(id)) return { deliveryId: id, dedupKey: `id:${id}` };
    throw new SluiceError("DELIVERY_ID_INVALID", {
      message: `the ${name} header is not usable as a delivery id`,
      hint: "Use 1 to 255 printable ASCII characters without space and full stop.",
    });
  }
  return null;
}
