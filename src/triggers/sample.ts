import { randomUUID } from "node:crypto";
import { SluiceError, type SignatureCheck } from "../core/index.ts";
import { readBodyType } from "./body.ts";
import { schemeOf } from "./schemes.ts";

/** A request that is to be signed as its sender would. */
export interface SampleRequest {
  readonly body: string | Uint8Array;
  readonly sentAt: Date;
  /** Default: a random one, where the scheme has a header for it. */
  readonly deliveryId?: string;
  /** Where it is sent to, with query; needed by the schemes that sign it (HubSpot, Twilio). */
  readonly url?: string;
  /** Default: `application/json`. */
  readonly contentType?: string;
}

/**
 * Signs a request as the sender would, and gives its headers: for demos, "send a sample" and tests.
 * For SendGrid the secret is a private key (PKCS #8). For Twilio with JSON, the address must hold `bodySHA256` already.
 *
 * @throws CONFIG_INVALID when the scheme cannot use the secret, or signs an address and none is given.
 */
export function signSample(check: SignatureCheck, secretValue: string, request: SampleRequest): Record<string, string> {
  const scheme = schemeOf(check);
  const { url = null, contentType = "application/json" } = request;
  if (scheme.signsUrl && url === null) {
    throw new SluiceError("CONFIG_INVALID", {
      message: `scheme ${check.scheme} signs the address, and none was given`,
      hint: "Pass url: the full address that the sample is sent to.",
    });
  }
  const [idHeader] = scheme.idHeaders;
  const id = request.deliveryId ?? `msg_${randomUUID()}`;
  const timestamp = scheme.clock?.fromMs(request.sentAt.getTime());
  const signed = { method: "POST", url, body: Buffer.from(request.body), isForm: readBodyType(contentType) === "form" };
  return {
    "content-type": contentType,
    ...(idHeader !== undefined && { [idHeader]: id }),
    ...(scheme.timestampHeader !== undefined && timestamp !== undefined && { [scheme.timestampHeader]: timestamp }),
    [scheme.signatureHeader]: scheme.sign(secretValue, { id, timestamp }, signed),
  };
}
