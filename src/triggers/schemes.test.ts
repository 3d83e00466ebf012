import { createHash, generateKeyPairSync } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secret, SluiceError, type SignatureCheck, type SignatureScheme } from "../core/index.ts";
import { signSample } from "./sample.ts";
import { schemeOf } from "./schemes.ts";
import { signatures } from "./signatures.ts";
import { checkSecrets, createVerifier, type VerifiableRequest } from "./verifier.ts";

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
  readonly url?: string;
  readonly isForm?: boolean;
}

const toRequest = ({ headers, body, url = "", isForm = false }: Received): VerifiableRequest => ({
  method: "POST",
  url,
  body: Buffer.from(body),
  isForm,
  header: (name) => headers[name],
});

/** Resolves to "ok", or to the code of the refusal. */
async function outcome(check: SignatureCheck, secretValue: string, at: Date, received: Received): Promise<string> {
  const verify = createVerifier(check, { resolveSecret: () => secretValue, now: () => at });
  return verify(toRequest(received)).then(
    () => "ok",
    (error: { code: string }) => error.code,
  );
}

const one = [secret("ONE")] as const;
const body = '{"id":"evt_1","name":"Ada"}';
const at1614265330 = new Date(1_614_265_330_000);

const slackBody =
  "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
  "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
  "%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

const sendgridBody =
  '[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",' +
  '"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",' +
  '"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n';

const twilioUrl = "https://mycompany.com/myapp.php?foo=1&bar=2";
const twilioForm = "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
const twilioJsonUrl = `${twilioUrl}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620`;

/** Published by the vendors, in their documents or in the tests of their own libraries; the rest computed with OpenSSL. */
const vectors: readonly (Received & { name: string; check: SignatureCheck; secretValue: string; at: Date })[] = [
  {
    name: "Standard Webhooks (its reference tests)",
    check: signatures.standardWebhooks(...one),
    secretValue: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    at: at1614265330,
    headers: {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    body: '{"test": 2432232314}',
  },
  {
    name: "Slack (its document)",
    check: signatures.slack(...one),
    secretValue: "8f742231b10e8888abcd99yyyzzz85a5",
    at: new Date(1_531_420_618_000),
    headers: {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    },
    body: slackBody,
  },
  {
    name: "GitHub (its document)",
    check: signatures.github(...one),
    secretValue: "It's a Secret to Everybody",
    at: new Date(0),
    headers: { "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
    body: "Hello, World!",
  },
  {
    name: "Twilio form (its document)",
    check: signatures.twilio({ secrets: one }),
    secretValue: "12345",
    at: new Date(0),
    headers: { "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=" },
    body: twilioForm,
    url: twilioUrl,
    isForm: true,
  },
  {
    name: "Twilio form with a repeated field (twilio-python)",
    check: signatures.twilio({ secrets: one }),
    secretValue: "12345",
    at: new Date(0),
    headers: { "x-twilio-signature": "IK+Dwps556ElfBT0I3Rgjkr1wJU=" },
    body: "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
    url: twilioUrl,
    isForm: true,
  },
  {
    name: "Twilio form, signed with the standard port (twilio-python)",
    check: signatures.twilio({ secrets: one }),
    secretValue: "12345",
    at: new Date(0),
    headers: { "x-twilio-signature": "kvajT1Ptam85bY51eRf/AJRuM3w=" },
    body: twilioForm,
    url: twilioUrl,
    isForm: true,
  },
  {
    name: "Twilio JSON (twilio-python)",
    check: signatures.twilio({ secrets: one }),
    secretValue: "12345",
    at: new Date(0),
    headers: { "x-twilio-signature": "a9nBmqA0ju/hNViExpshrM61xv4=" },
    body: '{"property": "value", "boolean": true}',
    url: twilioJsonUrl,
  },
  {
    name: "SendGrid (sendgrid-python)",
    check: signatures.sendgrid(...one),
    secretValue:
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
    at: new Date(1_600_112_502_000),
    headers: {
      "x-twilio-email-event-webhook-timestamp": "1600112502",
      "x-twilio-email-event-webhook-signature":
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
    },
    body: sendgridBody,
  },
  {
    name: "Zendesk (OpenSSL)",
    check: signatures.zendesk(...one),
    secretValue: "sesame",
    at: new Date("2026-03-25T05:10:00Z"),
    headers: {
      "x-zendesk-webhook-signature-timestamp": "2026-03-25T05:09:27Z",
      "x-zendesk-webhook-signature": "IgZQXGwcJQRDsfAc2UHaKCIUy8bfTIkm/RNu+JTgs04=",
    },
    body,
  },
  {
    name: "Stripe (OpenSSL), with another version and an old signature beside",
    check: signatures.stripe(...one),
    secretValue: "whsec_test",
    at: at1614265330,
    headers: {
      "stripe-signature": `t=1614265330,v1=${"0".repeat(64)},v1=707b9c9500a751a55e37b61bb25d37e4df09931a0ace9f4771d0f9db358016fc,v0=6ff`,
    },
    body,
  },
  {
    name: "HubSpot v3 (OpenSSL), with escapes to undo and one to leave",
    check: signatures.hubspotV3({ secrets: one }),
    secretValue: "client-secret",
    at: at1614265330,
    headers: {
      "x-hubspot-request-timestamp": "1614265330000",
      "x-hubspot-signature-v3": "BEAfTdRXPzPJKdBOTcVLTLFJBVvnraa7vRMUZ2d9P5I=",
    },
    body,
    url: "https://hooks.example.com/hooks/crm?next=https%3A%2F%2Fa.example%2F%3Fx%3D1",
  },
  {
    name: "Shopify (OpenSSL)",
    check: signatures.shopify(...one),
    secretValue: "hush",
    at: new Date(0),
    headers: { "x-shopify-hmac-sha256": "rMwRcM0QsKpGxr+0Q8hJ2s4t74DJLYtyTJr7O8HT1f8=" },
    body,
  },
  {
    name: "Typeform (OpenSSL)",
    check: signatures.typeform(...one),
    secretValue: "hush",
    at: new Date(0),
    headers: { "typeform-signature": "sha256=rMwRcM0QsKpGxr+0Q8hJ2s4t74DJLYtyTJr7O8HT1f8=" },
    body,
  },
  {
    name: "Calendly (OpenSSL)",
    check: signatures.calendly(...one),
    secretValue: "signing-key",
    at: at1614265330,
    headers: {
      "calendly-webhook-signature": "t=1614265330,v1=5e219a69db430491364e3c273f108ecf72e24fd2c3aa5a1d8ddd3a0d9181a9a9",
    },
    body,
  },
  {
    name: "HMAC-SHA256 in hexadecimal (OpenSSL)",
    check: signatures.hmacSha256({ secrets: one, header: "X-Acme-Signature" }),
    secretValue: "hush",
    at: new Date(0),
    headers: { "x-acme-signature": "accc1170cd10b0aa46c6bfb443c849dace2def80c92d8b724c9afb3bc1d3d5ff" },
    body,
  },
  {
    name: "HMAC-SHA256 in base64 behind sha256= (OpenSSL)",
    check: signatures.hmacSha256({ secrets: one }),
    secretValue: "hush",
    at: new Date(0),
    headers: { "x-signature": "sha256=rMwRcM0QsKpGxr+0Q8hJ2s4t74DJLYtyTJr7O8HT1f8=" },
    body,
  },
  {
    name: "bearer token",
    check: signatures.bearer(...one),
    secretValue: "t0ken",
    at: new Date(0),
    headers: { authorization: "Bearer t0ken" },
    body,
  },
];

describe("known signatures", () => {
  it.each(vectors)("$name is accepted with its secret and refused with another", async (vector) => {
    expect(await outcome(vector.check, vector.secretValue, vector.at, vector)).toBe("ok");
    const other = vector.check.scheme === "standard-webhooks" ? `whsec_${"A".repeat(32)}` : "another";
    expect(await outcome(vector.check, other, vector.at, vector)).toMatch(/^(SIGNATURE_INVALID|SECRET_MISSING)$/);
  });

  it.each(vectors)("$name is refused without its signature header", async (vector) => {
    const headers = { ...vector.headers };
    delete headers[schemeOf(vector.check).signatureHeader];
    expect(await outcome(vector.check, vector.secretValue, vector.at, { ...vector, headers })).toBe(
      "SIGNATURE_MISSING",
    );
  });

  it("has a known signature for every scheme", () => {
    const every = Object.keys(signatures);
    expect(new Set(vectors.map(({ check }) => check.scheme)).size).toBe(every.length);
  });
});

const ecKeys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const publicPem = ecKeys.publicKey.export({ type: "spki", format: "pem" }).toString();
const privatePem = ecKeys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const url = "https://hooks.example.com/hooks/any";
const sentAt = new Date("2026-03-25T05:09:27Z");

interface Subject {
  readonly check: SignatureCheck;
  readonly signing: string;
  readonly verifying?: string;
}

const subjects: readonly Subject[] = [
  { check: signatures.standardWebhooks(...one), signing: `whsec_${Buffer.alloc(32, 7).toString("base64")}` },
  { check: signatures.sendgrid(...one), signing: privatePem, verifying: publicPem },
  { check: signatures.slack(...one), signing: "s" },
  { check: signatures.zendesk(...one), signing: "s" },
  { check: signatures.github(...one), signing: "s" },
  { check: signatures.stripe(...one), signing: "s" },
  { check: signatures.hubspotV3({ secrets: one }), signing: "s" },
  { check: signatures.shopify(...one), signing: "s" },
  { check: signatures.typeform(...one), signing: "s" },
  { check: signatures.calendly(...one), signing: "s" },
  { check: signatures.hmacSha256({ secrets: one }), signing: "s" },
  { check: signatures.twilio({ secrets: one }), signing: "s" },
  { check: signatures.bearer(...one), signing: "s3cret" },
];

/** A correctly signed request of a scheme. */
function signed({ check, signing }: Subject, content: Buffer): Received & { url: string } {
  const digest = createHash("sha256").update(content).digest("hex");
  const address = check.scheme === "twilio" ? `${url}?bodySHA256=${digest}` : url;
  return { headers: signSample(check, signing, { body: content, sentAt, url: address }), body: content, url: address };
}

/** Changes one byte of a text at a place given as a share of its length. */
function changeAt(text: string, share: number, by: number): string {
  const index = Math.min(text.length - 1, Math.floor(share * text.length));
  // Stays within visible ASCII, as a header must, and never gives the same character.
  const code = 0x21 + ((text.charCodeAt(index) - 0x21 + by) % 94);
  return text.slice(0, index) + String.fromCharCode(code) + text.slice(index + 1);
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step = fc.integer({ min: 1, max: 93 });
const content = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes));

describe.each(subjects)("$check.scheme", (subject) => {
  const { check, signing, verifying = signing } = subject;
  const scheme = schemeOf(check);
  const judge = (received: Received) => outcome(check, verifying, sentAt, received);
  const coversBody = check.scheme !== "bearer";

  it("accepts what it signs itself, whatever the body", async () => {
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        expect(await judge(signed(subject, bytes))).toBe("ok");
      }),
    );
  });

  it.runIf(coversBody)("refuses a body with any one byte changed", async () => {
    await fc.assert(
      fc.asyncProperty(content, share, fc.integer({ min: 1, max: 255 }), async (bytes, where, flip) => {
        const request = signed(subject, bytes);
        const changed = Buffer.from(bytes);
        const index = Math.min(bytes.length - 1, Math.floor(where * bytes.length));
        changed[index] = changed[index]! ^ flip;
        expect(await judge({ ...request, body: changed })).toBe("SIGNATURE_INVALID");
      }),
    );
  });

  it("refuses any one byte changed in the signature, the timestamp or a signed id", async () => {
    const names = [scheme.signatureHeader, scheme.timestampHeader, ...(scheme.signsId ? scheme.idHeaders : [])];
    const headerNames = names.filter((name) => name !== undefined);
    // The word Bearer may be written in any case, so only the token is changed.
    const from = check.scheme === "bearer" ? "Bearer ".length : 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...headerNames), share, step, async (name, where, by) => {
        const request = signed(subject, Buffer.from(body));
        const value = request.headers[name]!;
        const changed = value.slice(0, from) + changeAt(value.slice(from), where, by);
        const code = await judge({ ...request, headers: { ...request.headers, [name]: changed } });
        expect(code).toMatch(/^SIGNATURE_(INVALID|EXPIRED)$/);
      }),
    );
  });

  it.runIf(scheme.clock)("takes clocks up to 300 s apart, both ways, and no more", async () => {
    const request = signed(subject, Buffer.from(body));
    for (const [offSeconds, expected] of [
      [300, "ok"],
      [-300, "ok"],
      [301, "SIGNATURE_EXPIRED"],
      [-301, "SIGNATURE_EXPIRED"],
    ] as const) {
      const now = new Date(sentAt.getTime() + offSeconds * 1000);
      expect(await outcome(check, verifying, now, request)).toBe(expected);
    }
  });

  it.runIf(scheme.signsUrl)("refuses a signature made for another address", async () => {
    const request = signed(subject, Buffer.from(body));
    const elsewhere = request.url.replace("/any", "/other");
    expect(await judge({ ...request, url: elsewhere })).toBe("SIGNATURE_INVALID");
  });

  it("takes an older live secret, and no empty one", async () => {
    const request = signed(subject, Buffer.from(body));
    const verifyWith = (older: string) =>
      createVerifier(
        { ...check, secrets: [secret("NEW"), secret("OLD")] },
        { now: () => sentAt, resolveSecret: ({ secret: name }) => (name === "OLD" ? older : "whsec_not-yet-right") },
      )(toRequest(request));
    await expect(verifyWith(verifying)).resolves.toBeUndefined();
    await expect(verifyWith("")).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });
});

const resolving = (value: string) => () => value;
const scheme = (name: SignatureScheme): SignatureCheck => ({ scheme: name, secrets: one });

describe("secrets", () => {
  it.each([23, 65, 0])("are refused for Standard Webhooks with %i bytes", async (sizeBytes) => {
    const value = `whsec_${Buffer.alloc(sizeBytes, 1).toString("base64")}`;
    await expect(checkSecrets(scheme("standard-webhooks"), resolving(value))).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });

  it.each([24, 64])("are taken for Standard Webhooks with %i bytes", async (sizeBytes) => {
    const value = `whsec_${Buffer.alloc(sizeBytes, 1).toString("base64")}`;
    await expect(checkSecrets(scheme("standard-webhooks"), resolving(value))).resolves.toBeUndefined();
  });

  it("are named when they cannot be used, and never quoted", async () => {
    const failure = checkSecrets(scheme("sendgrid"), resolving("not-a-key"));
    await expect(failure).rejects.toThrow(/^secret "ONE" of scheme sendgrid: .*$/);
    await expect(failure).rejects.not.toThrow(/not-a-key/);
  });

  it("of another curve are refused for SendGrid", async () => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ type: "spki", format: "pem" });
    await expect(checkSecrets(scheme("sendgrid"), resolving(other.toString()))).rejects.toThrow(/P-256/);
  });

  it("that cannot be looked up for now give the error that says so, unless another one matches", async () => {
    const away = new SluiceError("DATABASE_UNAVAILABLE", { message: "away" });
    const check = { ...signatures.github(...one), secrets: [secret("AWAY"), secret("HERE")] };
    const resolveSecret = ({ secret: name }: { secret: string }) => (name === "AWAY" ? Promise.reject(away) : "here");
    const verify = createVerifier(check, { resolveSecret, now: () => sentAt });
    const requestSignedWith = (key: string) => toRequest({ headers: signSample(check, key, { body, sentAt }), body });
    await expect(verify(requestSignedWith("here"))).resolves.toBeUndefined();
    await expect(verify(requestSignedWith("other"))).rejects.toBe(away);
  });

  it("are looked up for every request, so that a rotation needs no restart", async () => {
    let value = "first";
    const check = signatures.github(...one);
    const verify = createVerifier(check, { resolveSecret: () => value, now: () => sentAt });
    const requestSignedWith = (key: string) => toRequest({ headers: signSample(check, key, { body, sentAt }), body });
    await verify(requestSignedWith("first"));
    value = "second";
    await verify(requestSignedWith("second"));
    await expect(verify(requestSignedWith("first"))).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });
});

describe("Twilio", () => {
  const check = signatures.twilio({ secrets: one });

  it("refuses a JSON body that the address does not name by its digest", async () => {
    const headers = signSample(check, "s", { body, sentAt, url });
    expect(await outcome(check, "s", sentAt, { headers, body, url })).toBe("SIGNATURE_INVALID");
  });

  it("refuses a form that is not read as such, and not as a missing secret", async () => {
    const received = { headers: { "x-twilio-signature": "x" }, body: "a=1&".repeat(1001), url, isForm: true };
    expect(await outcome(check, "s", sentAt, received)).toBe("BODY_NOT_JSON");
  });

  it("refuses a form with any letter of a value changed", async () => {
    const contentType = "application/x-www-form-urlencoded";
    const headers = signSample(check, "s", { body: "From=abc&Text=hello", sentAt, url, contentType });
    for (const changed of ["From=abd&Text=hello", "From=abc&Text=hellp", "From=abc&Text=hello&More=x"]) {
      expect(await outcome(check, "s", sentAt, { headers, body: changed, url, isForm: true })).toBe(
        "SIGNATURE_INVALID",
      );
    }
  });
});
