import { describe, expect, it } from "vitest";
import { z } from "zod";
import { secret, SluiceError, type SignatureCheck } from "../core/index.ts";
import { toProblem } from "./problem.ts";
import { signatures } from "./signatures.ts";
import { webhook } from "./webhook.ts";

const payload = z.object({ email: z.email() });
const verify = signatures.standardWebhooks(secret("LEADS_SECRET"));
const declare = (options: object) => () => webhook({ path: "leads", payload, verify, ...options });
const invalid = expect.objectContaining({ code: "FLOW_INVALID" }) as Error;

describe("a webhook declaration", () => {
  it("keeps what it was given", () => {
    const samples = { urgent: { email: "ada@example.com" } };
    expect(webhook({ path: "crm/new-leads_1", payload, verify, samples })).toEqual({
      kind: "webhook",
      path: "crm/new-leads_1",
      payload,
      verify: { scheme: "standard-webhooks", secrets: [{ secret: "LEADS_SECRET" }] },
      samples,
    });
  });

  it("takes the check of a connection", () => {
    expect(webhook({ path: "leads", payload, verify: { signature: verify } }).verify).toBe(verify);
  });

  it.each(["", "/leads", "leads/", "a//b", "Leads", "a b", "../x", "a?b", "ä", "a".repeat(201)])(
    "refuses the path %j",
    (path) => {
      expect(declare({ path })).toThrow(invalid);
    },
  );

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["an empty object", {}],
    ["no", { allowUnsigned: false }],
    ["a text for true", { allowUnsigned: "true" }],
    ["unsigned and signed at once", { ...verify, allowUnsigned: true }],
    ["a connection that is unsigned as well", { signature: verify, allowUnsigned: true }],
    ["no secrets", { scheme: "github", secrets: [] }],
    ["no list of secrets", { scheme: "github" }],
    ["an empty name", { scheme: "github", secrets: [secret("")] }],
    ["the secret itself", { scheme: "github", secrets: ["hush"] }],
    ["an unknown scheme", { scheme: "md5", secrets: [secret("A")] }],
    ["a scheme from the prototype", { scheme: "constructor", secrets: [secret("A")] }],
    ["a header that is none", { scheme: "hmac-sha256", secrets: [secret("A")], header: "x y" }],
    ["an address with a query", signatures.twilio({ secrets: [secret("A")], publicUrl: "https://a.example/?x" })],
  ])("refuses as verify: %s", (_what, given) => {
    expect(declare({ verify: given as SignatureCheck })).toThrow(invalid);
  });

  it("lets anyone in only when that is written out", () => {
    expect(webhook({ path: "leads", payload, verify: { allowUnsigned: true } }).verify).toEqual({
      allowUnsigned: true,
    });
  });

  it("refuses a sample that does not fit, by its name and without its content", () => {
    const declareSample = declare({ samples: { broken: { email: "not-an-address" } } });
    expect(declareSample).toThrow(/sample "broken" of webhook "leads"/);
    expect(declareSample).not.toThrow(/not-an-address/);
  });
});

describe("an error as an HTTP answer", () => {
  it("is a problem document with code and hint, and issues only for what did not fit", async () => {
    const details = { issues: [{ path: "/email", message: "Invalid email" }], other: 1 };
    const response = toProblem(new SluiceError("PAYLOAD_INVALID", { message: "no fit", hint: "look", details }));
    expect(response.status).toBe(422);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("retry-after")).toBeNull();
    expect(await response.json()).toEqual({
      type: "urn:sluice:error:PAYLOAD_INVALID",
      title: "Payload invalid",
      status: 422,
      code: "PAYLOAD_INVALID",
      detail: "no fit",
      hint: "look",
      issues: details.issues,
    });
  });

  it.each([
    ["DATABASE_UNAVAILABLE", undefined, "5"],
    ["QUEUE_FULL", 1200, "2"],
    ["SIGN_IN_THROTTLED", 60_000, "60"],
  ] as const)("says when to come back: %s after %s ms is %s s", (code, retryAfterMs, expected) => {
    const response = toProblem(new SluiceError(code, { message: "later", retryAfterMs }));
    expect(response.headers.get("retry-after")).toBe(expected);
  });
});
