import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { secret, type SignatureCheck } from "../core/index.ts";
import type { AcceptedDelivery, Hook, HookPorts } from "./hook-ports.ts";
import { createHookRoutes } from "./hook-routes.ts";
import { signSample } from "./sample.ts";
import { signatures } from "./signatures.ts";
import { webhook } from "./webhook.ts";

const one = [secret("ONE")] as const;
const secretValue = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const checks: { readonly [path: string]: SignatureCheck } = {
  leads: signatures.standardWebhooks(...one),
  slack: signatures.slack(...one),
  github: signatures.github(...one),
  stripe: signatures.stripe(...one),
  crm: signatures.hubspotV3({ secrets: one }),
  sms: signatures.twilio({ secrets: one }),
  bearer: signatures.bearer(...one),
};
const hook = (path: string, verify: Hook["trigger"]["verify"]): Hook => ({
  flow: { name: `flow-${path}` },
  trigger: webhook({ path, payload: z.unknown(), verify }),
});
const hooks = [
  ...Object.entries(checks).map(([path, check]) => hook(path, check)),
  hook("open", { allowUnsigned: true }),
];

let accepted: AcceptedDelivery[] = [];
let refusals: { path: string; code: string }[] = [];
beforeEach(() => {
  [accepted, refusals] = [[], []];
});

const ports: HookPorts = {
  publicUrl: "https://hooks.example.com",
  now: () => new Date("2026-03-25T05:09:27Z"),
  resolveSecret: () => secretValue,
  accept(delivery) {
    const duplicate = accepted.some(({ dedupKey, path }) => dedupKey === delivery.dedupKey && path === delivery.path);
    if (!duplicate) accepted.push(delivery);
    return Promise.resolve({ runId: "run_1", duplicate });
  },
  waitForRun: () => Promise.resolve(null),
  countRefusal: (refusal) => refusals.push(refusal),
};
const routes = createHookRoutes(hooks, ports);
const json = { "content-type": "application/json" };

/** Sends without a server in between, as other runtimes than Node do. */
async function send(
  path: string,
  headers: Record<string, string> | [string, string][],
  body: string | Buffer<ArrayBuffer> = "{}",
) {
  const response = await routes.request(`/hooks/${path}`, { method: "POST", headers, body });
  return { status: response.status, body: await response.json() };
}

interface Extras {
  readonly deliveryId?: string;
  readonly contentType?: string;
  readonly query?: string;
}

function sendAs(path: string, body: string, { query = "", ...options }: Extras = {}) {
  const url = `https://hooks.example.com/hooks/${path}${query}`;
  const check = checks[path] ?? signatures.bearer(...one);
  return send(path + query, signSample(check, secretValue, { body, sentAt: ports.now(), url, ...options }), body);
}

const declareTwilio = (publicUrl: string | null) => () =>
  createHookRoutes([hook("sms", signatures.twilio({ secrets: one }))], { ...ports, publicUrl });

const keys = () => accepted.map(({ dedupKey, deliveryId }) => ({ dedupKey, deliveryId }));

describe("deliveries of senders", () => {
  it("are told apart by GitHub's delivery id, not by the body", async () => {
    for (const deliveryId of ["a-1", "a-2", "a-1"]) await sendAs("github", "{}", { deliveryId });
    expect(keys().map(({ deliveryId }) => deliveryId)).toEqual(["a-1", "a-2"]);
  });

  it.each(["a.b", "a b", "x".repeat(256)])("are refused with the delivery id %s", async (deliveryId) => {
    expect(await sendAs("github", "{}", { deliveryId })).toMatchObject({
      status: 400,
      body: { code: "DELIVERY_ID_INVALID" },
    });
  });

  it("are told apart by the event in Stripe's body, whose other fields may change", async () => {
    await sendAs("stripe", '{"id":"evt_1","pending_webhooks":2}');
    expect(await sendAs("stripe", '{"id":"evt_1","pending_webhooks":1}')).toMatchObject({
      status: 200,
      body: { duplicate: true },
    });
    expect(keys()).toEqual([{ dedupKey: "id:evt_1", deliveryId: "evt_1" }]);
  });

  it("are told apart by HubSpot's events without their attempt number, at the signed address", async () => {
    await sendAs("crm", '[{"eventId":1,"attemptNumber":0}]', { query: "?wait=1" });
    expect(await sendAs("crm", '[{"attemptNumber":1,"eventId":1}]')).toMatchObject({ body: { duplicate: true } });
    expect(await sendAs("crm", '[{"eventId":2,"attemptNumber":0}]')).toMatchObject({ body: { duplicate: false } });
  });

  it("without any id are told apart by their bodies", async () => {
    for (const body of ['{"n":1}', '{"n":2}', '{"n":1}'])
      await send("open", { "content-type": "application/json" }, body);
    expect(accepted.map(({ dedupKey, bodyDigest }) => dedupKey === bodyDigest.replace("sha256:", "body:"))).toEqual([
      true,
      true,
    ]);
  });

  it("with a bearer token may bring an idempotency key", async () => {
    await sendAs("bearer", "{}", { deliveryId: "sync-7" });
    expect(keys()).toEqual([{ dedupKey: "id:sync-7", deliveryId: "sync-7" }]);
    expect((await send("bearer", { "content-type": "application/json", authorization: "Bearer whsec_" })).status).toBe(
      401,
    );
  });

  it("as forms are objects, in Twilio's and Slack's way", async () => {
    const contentType = "application/x-www-form-urlencoded";
    expect((await sendAs("sms", "From=%2B44&Body=hi+there", { contentType })).status).toBe(202);
    expect((await sendAs("slack", "command=%2Flead&text=", { contentType })).status).toBe(202);
    expect(accepted.map(({ payload: received }) => received)).toEqual([
      { From: "+44", Body: "hi there" },
      { command: "/lead", text: "" },
    ]);
  });

  it("may be compressed; what is signed is the body before compression", async () => {
    const headers = signSample(signatures.standardWebhooks(...one), secretValue, { body: "{}", sentAt: ports.now() });
    expect((await send("leads", { ...headers, "content-encoding": "gzip" }, gzipSync("{}"))).status).toBe(202);
    expect((await send("leads", { ...headers, "content-encoding": "br" }, gzipSync("{}"))).status).toBe(415);
  });

  it("are refused with a header sent twice, and with too large a body, outside Node's server too", async () => {
    const headers = signSample(signatures.github(...one), secretValue, {
      body: "{}",
      sentAt: ports.now(),
      deliveryId: "a",
    });
    expect((await send("github", [...Object.entries(headers), ["x-github-delivery", "b"]], "{}")).status).toBe(400);
    expect((await send("open", json, `[${" ".repeat(2_000_000)}]`)).status).toBe(413);
    expect(refusals.map(({ code }) => code)).toEqual(["HEADER_DUPLICATED", "BODY_TOO_LARGE"]);
  });

  it("get Slack's challenge back when it is signed, and no run", async () => {
    const body = JSON.stringify({ type: "url_verification", challenge: "3eZbrw1a" });
    expect(await sendAs("slack", body)).toMatchObject({ status: 200, body: { challenge: "3eZbrw1a" } });
    expect((await send("slack", { "content-type": "application/json" }, body)).status).toBe(401);
    expect(accepted).toEqual([]);
  });
});

describe("declaring routes", () => {
  it("refuses two hooks on one path", () => {
    expect(() =>
      createHookRoutes([hook("a", { allowUnsigned: true }), hook("a", { allowUnsigned: true })], ports),
    ).toThrow(/both have the webhook path "a"/);
  });

  it("refuses a scheme that signs the address when no address is known", () => {
    expect(declareTwilio(null)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(declareTwilio("https://hooks.example.com")).not.toThrow();
  });

  it("leaves an error that is none of ours to the application, counted", async () => {
    const broken = {
      ...ports,
      now: () => {
        throw new TypeError("oops");
      },
    };
    const mounted = createHookRoutes(hooks, broken).onError((error, context) => context.text(error.message, 500));
    const response = await mounted.request("/hooks/open", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect([response.status, await response.text(), refusals]).toEqual([
      500,
      "oops",
      [{ path: "open", code: "INTERNAL" }],
    ]);
  });
});
