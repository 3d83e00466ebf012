import { createPrivateKey, createPublicKey, createSign, createVerify, type KeyObject } from "node:crypto";
import { prefixed, secondsClock, unusableSecret, type Scheme } from "./scheme.ts";

/**
 * SendGrid signs timestamp and body with ECDSA (P-256, SHA-256). The "secret" is the public verification key of its
 * settings page: base64 of the DER form, or PEM. To sign samples, use a private key (PKCS #8, same forms) of your own.
 *
 * @see https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
 */
export const sendgrid: Scheme = {
  signatureHeader: "x-twilio-email-event-webhook-signature",
  timestampHeader: "x-twilio-email-event-webhook-timestamp",
  idHeaders: [],
  clock: secondsClock,
  format: prefixed(""),
  prepare(secret) {
    const key = readKey(secret, (text) =>
      text.startsWith("-----")
        ? createPublicKey(text)
        : createPublicKey({ key: text, format: "der", type: "spki", encoding: "base64" }),
    );
    return ({ timestamp = "", signatures }, { body }) =>
      signatures.some((signature) => {
        const bytes = Buffer.from(signature, "base64");
        // Of the many texts that decode to the same bytes, only the one that was sent counts.
        if (bytes.toString("base64") !== signature) return false;
        return createVerify("sha256").update(timestamp).update(body).verify(key, bytes);
      });
  },
  sign(secret, { timestamp = "" }, { body }) {
    const key = readKey(secret, (text) =>
      text.startsWith("-----")
        ? createPrivateKey(text)
        : createPrivateKey({ key: text, format: "der", type: "pkcs8", encoding: "base64" }),
    );
    return createSign("sha256").update(timestamp).update(body).sign(key, "base64");
  },
};

function readKey(text: string, read: (text: string) => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read(text.trim());
  } catch (error) {
    throw unusableSecret("is not a key of the SendGrid scheme", error);
  }
  if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  throw unusableSecret("is not a P-256 key, as the SendGrid scheme needs");
}
