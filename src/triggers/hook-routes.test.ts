import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { secret, SluiceError, type Json } from "../core/index.ts";
import { maxBodyBytes } from "./body.ts";
import type { AcceptedDelivery, FinishedRun, Hook, HookPorts } from "./hook-ports.ts";
import { createHookRoutes } from "./hook-routes.ts";
import { signSample } from "./sample.ts";
import { signatures } from "./signatures.ts";
import { webhook } from "./webhook.ts";

const whsec = (fill: number): string => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
const secrets: { readonly [name: string]: string } = {
  NEW: whsec(1),
  OLD: whsec(2),
  TENANT: whsec(3),
};
const standard = (...names: [string, ...string[]]) => {
  const [first, ...rest] = names;
  return signatures.standardWebhooks(secret(first), ...rest.map(secret));
};
const payload = z.object({ name: z.string(), email: z.email() });
const anything = z.record(z.string(), z.unknown());
const hook = (path: string, verify: Parameters<typeof webhook>[0]["verify"], schema: z.ZodType = payload): Hook => ({
  flow: { name: `flow-${path}` },
  trigger: webhook({ path, payload: schema, verify }),
});

const hooks = [
  hook("leads", standard("NEW")),
  hook("rotating", standard("NEW", "OLD")),
  hook("tenant", standard("TENANT")),
  hook("missing", signatures.github(secret("ABSENT")), anything),
  hook("open", { allowUnsigned: true }, anything),
  hook("dates", { allowUnsigned: true }, z.object({ at: z.coerce.date() })),
];

/** The store and engine that hooks are plugged into: a unique key, committed after a while. */
let nowMs = 0;
let accepted: AcceptedDelivery[] = [];
let refusals: { path: string; code: string }[] = [];
let runs = new Map<string, string>();
let failure: Error | null = null;
let finished: FinishedRun | null = null;
let waits: { runId: string; timeoutMs: number }[] = [];

const ports: HookPorts = {
  publicUrl: "https://hooks.example.com/",
  now: () => new Date(nowMs),
  resolveSecret: ({ secret: name }) => {
    const value = secrets[name];
    if (value === undefined) throw new SluiceError("SECRET_MISSING", { message: `secret ${name} is not set` });
    return value;
  },
  async accept(delivery) {
    await new Promise((resolve) => setImmediate(resolve));
    if (failure) throw failure;
    const key = `${delivery.path}\n${delivery.dedupKey}`;
    const first = runs.get(key);
    if (first !== undefined) return { runId: first, duplicate: true };
    const runId = `run_${runs.size + 1}`;
    runs.set(key, runId);
    accepted.push(delivery);
    return { runId, duplicate: false };
  },
  waitForRun(runId, timeoutMs) {
    waits.push({ runId, timeoutMs });
    return Promise.resolve(finished);
  },
  countRefusal: (refusal) => refusals.push(refusal),
};

const server = serve({ fetch: createHookRoutes(hooks, ports).fetch, port: 0, hostname: "127.0.0.1" });
let port = 0;

beforeAll(async () => {
  if (!server.listening) await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());
beforeEach(() => {
  nowMs = Date.parse("2026-03-25T05:09:27Z");
  [accepted, refusals, waits, runs, failure, finished] = [[], [], [], new Map(), null, null];
});

const lead = JSON.stringify({ name: "Ada", email: "ada@example.com" });
type Headers = Record<string, string>;
interface Answer {
  readonly status: number;
  readonly body: { readonly [field: string]: Json };
  readonly headers: globalThis.Headers;
}

async function send(
  path: string,
  headers: Headers,
  body: string | Buffer<ArrayBuffer> = lead,
  method = "POST",
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/hooks/${path}`, {
    method,
    headers,
    ...(method === "POST" && { body }),
  });
  return { status: response.status, body: (await response.json()) as Answer["body"], headers: response.headers };
}

/** Headers of a Standard Webhooks delivery. */
function signed(
  options: { body?: string | Uint8Array; id?: string; offSeconds?: number; secretName?: string } = {},
): Headers {
  const { body = lead, id = "msg_1", offSeconds = 0, secretName = "NEW" } = options;
  const sentAt = new Date(nowMs + offSeconds * 1000);
  return signSample(standard(secretName), secrets[secretName] ?? "", { body, sentAt, deliveryId: id });
}

/** Writes a request byte for byte until an answer begins, and gives the answer's status. */
async function sendRaw(head: readonly string[], chunks: readonly string[] = []): Promise<number> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  // The server may close while there is more to write; what counts is that it answered.
  socket.on("error", () => undefined);
  const answered = once(socket, "data") as Promise<[string]>;
  socket.write([...head, "host: 127.0.0.1", "", ""].join("\r\n"));
  socket.write(chunks.join(""));
  const [answer] = await answered;
  socket.destroy();
  return Number(answer.slice("HTTP/1.1 ".length, "HTTP/1.1 000".length));
}

const large = (sizeBytes: number): string => lead.replace("Ada", "A".repeat(sizeBytes - lead.length + 3));
const asLines = (headers: Headers): string[] => Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
const withSignature = (edit: (value: string) => string): Headers => {
  const headers = signed();
  return { ...headers, "webhook-signature": edit(headers["webhook-signature"] ?? "") };
};

async function expectStatus(
  expected: number,
  path: string,
  headers: Headers,
  body: string | Buffer<ArrayBuffer> = lead,
): Promise<void> {
  const answer = await send(path, headers, body);
  expect({ status: answer.status, runs: accepted.length }).toEqual({
    status: expected,
    runs: expected === 202 ? 1 : 0,
  });
}

/** Sends the first delivery, lets time pass, sends another of the same id: it must be told the first one's run. */
async function expectDuplicate(laterSeconds: number, headersLater?: Headers): Promise<void> {
  const headers = signed();
  expect(await send("leads", headers)).toMatchObject({ status: 202, body: { runId: "run_1", duplicate: false } });
  nowMs += laterSeconds * 1000;
  const again = await send("leads", headersLater ?? (laterSeconds < 300 && !headersLater ? headers : signed()));
  expect(again).toMatchObject({ status: 200, body: { runId: "run_1", duplicate: true } });
  expect(accepted.length).toBe(1);
}

const cases = JSON.parse(readFileSync(new URL("../../test/data/webhooks/cases.json", import.meta.url), "utf8")) as {
  cases: { name: string; expect: number | string }[];
};

/** One implementation for each case of the file, by its name. */
const implementations: { readonly [name: string]: () => Promise<void> } = {
  valid: () => expectStatus(202, "leads", signed()),
  "valid, same id again at once": () => expectDuplicate(0),
  "same id 4 min later with a fresh timestamp and signature (provider retry)": () =>
    expectDuplicate(240, signed({ offSeconds: 240 })),
  "same id 70 h later with a fresh timestamp (spec retry schedule reaches 75:35:05)": () => expectDuplicate(70 * 3600),
  "captured request replayed at +4:59 with same id": () => expectDuplicate(299),
  "timestamp -301 s": () => expectStatus(401, "leads", signed({ offSeconds: -301 })),
  "timestamp +301 s": () => expectStatus(401, "leads", signed({ offSeconds: 301 })),
  "timestamp not an integer / empty / 1e30 / negative": async () => {
    for (const timestamp of ["1774415367.5", "", "1e30", "-1774415367", "0x69c3", "soon"])
      await expectStatus(401, "leads", { ...signed(), "webhook-timestamp": timestamp });
  },
  "body one byte changed": () => expectStatus(401, "leads", signed(), lead.replace("Ada", "Adb")),
  "body re-serialised (whitespace)": () =>
    expectStatus(401, "leads", signed(), JSON.stringify(JSON.parse(lead), null, 1)),
  "id swapped": () => expectStatus(401, "leads", { ...signed(), "webhook-id": "msg_2" }),
  "id containing '.'": () => expectStatus(400, "leads", signed({ id: "msg.1" })),
  "signature list: wrong v1 then right v1 (rotation)": () =>
    expectStatus(
      202,
      "leads",
      withSignature((right) => `v1,${"A".repeat(43)}= ${right}`),
    ),
  "only v0 / unknown version": async () => {
    for (const version of ["v0", "v2", "V1", ""])
      await expectStatus(
        401,
        "leads",
        withSignature((right) => right.replace("v1", version)),
      );
  },
  "v1a when only a symmetric secret is configured": () =>
    expectStatus(
      401,
      "leads",
      withSignature((right) => right.replace("v1,", "v1a,")),
    ),
  "signature of right length, wrong bytes (constant time)": () =>
    expectStatus(
      401,
      "leads",
      withSignature((right) => `v1,${right.slice(3, -2).replaceAll(/./g, "B")}A=`),
    ),
  "duplicate webhook-id headers": async () => {
    const head = [
      "POST /hooks/leads HTTP/1.1",
      ...asLines(signed()),
      "webhook-id: msg_1",
      `content-length: ${lead.length}`,
    ];
    expect(await sendRaw(head, [lead])).toBe(400);
    expect(refusals).toEqual([{ path: "leads", code: "HEADER_DUPLICATED" }]);
  },
  "signed with another tenant's / endpoint's secret": () =>
    expectStatus(401, "leads", signed({ secretName: "TENANT" })),
  "old secret inside the rotation overlap": () => expectStatus(202, "rotating", signed({ secretName: "OLD" })),
  "old secret after the overlap": () => expectStatus(401, "leads", signed({ secretName: "OLD" })),
  "content-type lies (JSON body as multipart and the reverse; n8n CVE-2026-21858)": async () => {
    const parts = '--x\r\ncontent-disposition: form-data; name="file"; filename="/etc/passwd"\r\n\r\nx\r\n--x--\r\n';
    await expectStatus(415, "leads", { ...signed(), "content-type": "multipart/form-data; boundary=x" });
    await expectStatus(400, "leads", signed({ body: parts }), parts);
    // Read as the form that it says it is: one odd field, which the schema refuses.
    await expectStatus(422, "leads", { ...signed(), "content-type": "application/x-www-form-urlencoded" });
  },
  "content-encoding gzip, 1 MB -> 1 GB bomb": async () => {
    const member = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 });
    const bomb = Buffer.concat(Array.from({ length: 16 }, () => member));
    expect(bomb.length).toBeLessThanOrEqual(maxBodyBytes);
    await expectStatus(413, "leads", { ...signed({ body: bomb }), "content-encoding": "gzip" }, bomb);
  },
  "body 1 MB + 1 byte": async () => {
    await expectStatus(413, "leads", signed({ body: large(maxBodyBytes + 1) }), large(maxBodyBytes + 1));
    await expectStatus(202, "leads", signed({ body: large(maxBodyBytes) }), large(maxBodyBytes));
  },
  "10 MB, no content-length, chunked": async () => {
    const head = ["POST /hooks/leads HTTP/1.1", ...asLines(signed()), "transfer-encoding: chunked"];
    const chunk = `10000\r\n${"A".repeat(0x10000)}\r\n`;
    expect(await sendRaw(head, [...Array.from({ length: 160 }, () => chunk), "0\r\n\r\n"])).toBe(413);
    expect(accepted).toEqual([]);
  },
  "100 concurrent copies of one id": async () => {
    const headers = signed();
    const answers = await Promise.all(Array.from({ length: 100 }, () => send("leads", headers)));
    expect(answers.filter(({ status }) => status === 202).length).toBe(1);
    expect(answers.filter(({ status, body }) => status === 200 && body["duplicate"] === true).length).toBe(99);
    expect(new Set(answers.map(({ body }) => body["runId"])).size).toBe(1);
    expect(accepted.length).toBe(1);
  },
  "unsigned request to an endpoint that has a secret": () =>
    expectStatus(401, "leads", { "content-type": "application/json" }),
  "endpoint without secret": async () => {
    for (const verify of [undefined, {}, { ...standard("NEW"), secrets: [] }])
      expect(() => hook("none", verify as never)).toThrow(expect.objectContaining({ code: "FLOW_INVALID" }));
    await expectStatus(202, "open", { "content-type": "application/json" });
  },
};

describe("the 27 webhook cases", () => {
  it("are all there, each with an implementation", () => {
    expect(cases.cases.map(({ name }) => name).toSorted()).toEqual(Object.keys(implementations).toSorted());
    expect(cases.cases.length).toBe(27);
  });

  it.each(cases.cases)("$name: $expect", async ({ name }) => {
    expect.hasAssertions();
    await implementations[name]?.();
  });
});

describe("the answer", () => {
  it("holds the run, and the delivery holds the payload as it was received", async () => {
    const extra = JSON.stringify({ ...JSON.parse(lead), phone: "not in the schema" });
    expect(await send("leads", signed({ body: extra }), extra)).toMatchObject({ status: 202 });
    expect(accepted).toEqual([
      {
        flow: "flow-leads",
        path: "leads",
        dedupKey: "id:msg_1",
        deliveryId: "msg_1",
        payload: JSON.parse(extra),
        bodyDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        receivedAt: new Date(nowMs),
      },
    ]);
    expect(refusals).toEqual([]);
  });

  it.each([
    ["nowhere", 404, "HOOK_UNKNOWN", {}, lead],
    ["leads/", 404, "HOOK_UNKNOWN", {}, lead],
    ["__proto__", 404, "HOOK_UNKNOWN", {}, lead],
    ["open", 415, "CONTENT_TYPE_UNSUPPORTED", { "content-type": "text/plain" }, lead],
    ["open", 415, "CONTENT_TYPE_UNSUPPORTED", { "content-type": "application/json; charset=utf-16" }, lead],
    [
      "open",
      415,
      "BODY_ENCODING_UNSUPPORTED",
      { "content-type": "application/json", "content-encoding": "zstd" },
      lead,
    ],
    [
      "open",
      415,
      "BODY_ENCODING_UNSUPPORTED",
      { "content-type": "application/json", "content-encoding": "gzip" },
      lead,
    ],
    ["open", 400, "BODY_NOT_JSON", { "content-type": "application/json" }, '{"email": ada@example.com}'],
    ["open", 400, "BODY_NOT_JSON", { "content-type": "application/json" }, ""],
    ["open?wait=0", 422, "REQUEST_INVALID", { "content-type": "application/json" }, lead],
    ["open?wait=61", 422, "REQUEST_INVALID", { "content-type": "application/json" }, lead],
    ["open?wait=1e1", 422, "REQUEST_INVALID", { "content-type": "application/json" }, lead],
    ["open?wait=5&wait=5", 422, "REQUEST_INVALID", { "content-type": "application/json" }, lead],
    [
      "missing",
      500,
      "SECRET_MISSING",
      { "content-type": "application/json", "x-hub-signature-256": "sha256=00" },
      lead,
    ],
    ["dates", 422, "PAYLOAD_INVALID", { "content-type": "application/json" }, '{"at":"someday"}'],
  ] as const)(
    "to %s is %i %s, counted, with a hint and nothing of the request",
    async (path, status, code, headers, body) => {
      const answer = await send(path, headers, body);
      expect(answer).toMatchObject({ status, body: { code, status, hint: expect.any(String) } });
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(JSON.stringify(answer.body)).not.toMatch(/ada@|ABSENT/i);
      expect(refusals).toEqual([{ path: code === "HOOK_UNKNOWN" ? "(unknown)" : path.split("?")[0], code }]);
      expect(accepted).toEqual([]);
    },
  );

  it("to a payload that does not fit names the places and no values", async () => {
    const body = JSON.stringify({ name: "Ada Lovelace", email: "lovelace at home" });
    const answer = await send("leads", signed({ body }), body);
    expect(answer).toMatchObject({ status: 422, body: { code: "PAYLOAD_INVALID", issues: [{ path: "/email" }] } });
    expect(JSON.stringify(answer.body)).not.toMatch(/lovelace/i);
  });

  it.each(["GET", "HEAD", "PUT", "DELETE"])("to %s is 405 with Allow: POST", async (method) => {
    const response = await fetch(`http://127.0.0.1:${port}/hooks/leads`, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it.each([
    [new Error("connection refused"), "DATABASE_UNAVAILABLE", "5"],
    [new SluiceError("QUEUE_FULL", { message: "full", retryAfterMs: 1500 }), "QUEUE_FULL", "2"],
  ])("when the event cannot be committed is 503 with Retry-After: %s", async (thrown, code, retryAfter) => {
    failure = thrown;
    const answer = await send("leads", signed());
    expect(answer).toMatchObject({ status: 503, body: { code } });
    expect(answer.headers.get("retry-after")).toBe(retryAfter);
    failure = null;
    expect((await send("leads", signed())).status).toBe(202);
  });

  it("waits for the run when asked, and is the plain one when the run is not done", async () => {
    const headers = { "content-type": "application/json" };
    expect(await send("open?wait=5", headers)).toMatchObject({
      status: 202,
      body: { runId: "run_1", duplicate: false },
    });
    finished = { status: "succeeded", output: { score: 83 }, error: null };
    const done = { runId: "run_1", duplicate: true, status: "succeeded", output: { score: 83 } };
    expect((await send("open?wait=60", headers)).body).toEqual(done);
    finished = {
      status: "failed",
      output: null,
      error: { code: "STEP_FAILED", message: "no", details: { secret: 1 } },
    };
    const failed = { runId: "run_1", duplicate: true, status: "failed", error: { code: "STEP_FAILED", message: "no" } };
    expect(await send("open?wait=1", headers)).toMatchObject({ status: 200, body: failed });
    expect(waits).toEqual([5, 60, 1].map((seconds) => ({ runId: "run_1", timeoutMs: seconds * 1000 })));
  });
});
