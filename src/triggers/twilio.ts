import { createHash, type KeyObject } from "node:crypto";
import { parseForm } from "./payload.ts";
import { hasEqual, hmac, prefixed, textKey, type Scheme, type SignedRequest } from "./scheme.ts";

/**
 * Twilio signs the address, followed by the form's fields sorted by name; for any other body the address holds the
 * body's digest as `bodySHA256`. Nothing separates the fields, so a form's signature also fits one that divides the same
 * text into other fields: where that matters, ask Twilio for JSON. The idempotency token is not covered.
 *
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export const twilio: Scheme = {
  signatureHeader: "x-twilio-signature",
  idHeaders: ["i-twilio-idempotency-token"],
  signsUrl: true,
  format: prefixed(""),
  prepare(secret) {
    const key = textKey(secret);
    return ({ signatures }, request) => {
      if (!coversBody(request)) return false;
      const fields = signedFields(request);
      return portVariants(request.url ?? "").some((url) => hasEqual(signatures, signatureOf(key, url, fields)));
    };
  },
  sign: (secret, _claim, request) => signatureOf(textKey(secret), request.url ?? "", signedFields(request)),
};

function signatureOf(key: KeyObject, url: string, fields: string): string {
  return hmac("sha1", key, [url, fields]).toString("base64");
}

function signedFields({ isForm, body }: SignedRequest): string {
  if (!isForm) return "";
  const fields = Object.entries(parseForm(body)).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return fields.flatMap(([name, value]) => [...new Set([value].flat())].toSorted().map((text) => name + text)).join("");
}

/** A form is covered by its fields; any other body must be named by its digest, or it is not covered at all. */
function coversBody({ isForm, url, body }: SignedRequest): boolean {
  if (isForm) return true;
  const digest = new URLSearchParams(url?.split("?")[1] ?? "").get("bodySHA256");
  return digest !== null && hasEqual([digest], createHash("sha256").update(body).digest("hex"));
}

/** Twilio does not always sign the port as configured, so its own libraries try the address with and without it. */
function portVariants(url: string): string[] {
  const [, scheme, host, port, rest] = /^(https?):\/\/([^/?:]+)(:\d+)?(.*)$/.exec(url) ?? [];
  if (scheme === undefined || host === undefined || rest === undefined) return [url];
  const standardPort = scheme === "https" ? ":443" : ":80";
  return [url, `${scheme}://${host}${port === undefined ? standardPort : ""}${rest}`];
}
