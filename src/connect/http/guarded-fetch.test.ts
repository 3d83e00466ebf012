import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Socket, type AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createGuardedFetch, type GuardedFetch, type GuardedFetchOptions } from "./guarded-fetch.ts";

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let servers: Server[] = [];
let here: string;
let there: string;
let received: Received[] = [];
const opened: GuardedFetch[] = [];

const zeros = Buffer.alloc(200_000);

function answer(request: Received, response: ServerResponse): void {
  const url = new URL(request.url, here);
  const to = url.searchParams.get("to") ?? "/final";
  switch (url.pathname) {
    case "/redirect":
      response.writeHead(Number(url.searchParams.get("status") ?? 302), { location: to }).end();
      break;
    case "/loop":
      response.writeHead(302, { location: "/loop" }).end();
      break;
    case "/gzip":
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(zeros));
      break;
    case "/brotli":
      response.writeHead(200, { "content-encoding": "br" }).end(brotliCompressSync(zeros));
      break;
    case "/large":
      response.end(zeros);
      break;
    case "/silent":
      break;
    case "/half":
      response.writeHead(200, { "content-length": "100" }).write("half");
      break;
    case "/reset":
      response.socket?.resetAndDestroy();
      break;
    case "/cut":
      response.writeHead(200, { "content-length": "100" }).write("half", () => response.destroy());
      break;
    case "/strange":
      response.writeHead(999).end();
      break;
    case "/empty":
      response.writeHead(204).end();
      break;
    case "/stream":
      response.writeHead(200, { "content-type": "text/event-stream", "set-cookie": ["a=1", "b=2"] });
      response.write("data: one\n\n");
      setTimeout(() => response.end("data: two\n\n"), 30);
      break;
    default:
      response.end("final");
  }
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = "", url = "", headers } = request;
  const call = { method, url, headers, body: Buffer.concat(chunks).toString() };
  received.push(call);
  answer(call, response);
}

async function start(): Promise<string> {
  const server = createServer((request, response) => void serve(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const failure = (sent: string, code: string): object => ({
  code: "EGRESS_FAILED",
  retryable: true,
  details: { sent, code },
});

function open(options: GuardedFetchOptions = {}): GuardedFetch {
  const guarded = createGuardedFetch({ allowedOrigins: [here, there], timeoutMs: 3000, ...options });
  opened.push(guarded);
  return guarded;
}

beforeAll(async () => {
  here = await start();
  there = await start();
});

afterEach(async () => {
  received = [];
  vi.unstubAllEnvs();
  await Promise.all(opened.splice(0).map((guarded) => guarded.close()));
});

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

describe("guarded fetch", () => {
  it("fits where a library takes the platform's fetch, and gives the platform's Response", async () => {
    const asFetch: typeof globalThis.fetch = open();
    const response = await asFetch(new Request(`${here}/final`, { method: "POST", body: "hello" }));
    expect(response).toBeInstanceOf(Response);
    expect(response.url).toBe(`${here}/final`);
    expect(await response.text()).toBe("final");
    expect(received).toMatchObject([{ method: "POST", body: "hello", headers: { "user-agent": "sluice" } }]);
  });

  it("sends JSON, forms and multipart bodies of the platform's own classes", async () => {
    const guarded = open();
    const form = new FormData();
    form.set("field", "value");
    await guarded(`${here}/final`, { method: "POST", body: form });
    await guarded(`${here}/final`, { method: "POST", body: new URLSearchParams({ a: "1" }) });
    await guarded(`${here}/final`, { method: "POST", body: new Blob(["{}"], { type: "application/json" }) });
    expect(received.map((call) => call.headers["content-type"]?.split(";")[0])).toEqual([
      "multipart/form-data",
      "application/x-www-form-urlencoded",
      "application/json",
    ]);
    expect(received[0]?.body).toContain('name="field"');
  });

  it("streams the body as it comes, with all its headers", async () => {
    const response = await open()(`${here}/stream`);
    const chunks: string[] = [];
    for await (const chunk of response.body!) chunks.push(Buffer.from(chunk).toString());
    expect(chunks).toEqual(["data: one\n\n", "data: two\n\n"]);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it("gives answers without a body", async () => {
    const response = await open()(`${here}/empty`);
    expect([response.status, response.body]).toEqual([204, null]);
  });

  it("reaches this machine only where the origin is written out", async () => {
    const guarded = open({ allowedOrigins: [there] });
    await expect(guarded(`${here}/final`)).rejects.toMatchObject({ code: "EGRESS_REFUSED", details: { sent: "no" } });
    expect(await (await guarded(`${there}/final`)).text()).toBe("final");
    const byPort = open({ allowedOrigins: [], ports: [Number(new URL(here).port)] });
    await expect(byPort(`${here}/final`)).rejects.toThrow("private network or on this machine");
    expect(received).toHaveLength(1);
  });

  it("reaches nothing but its own origins when those are given, also by redirect", async () => {
    const guarded = open({ onlyOrigins: [here] });
    await expect(guarded(`${there}/final`)).rejects.toMatchObject({ code: "EGRESS_REFUSED" });
    await expect(guarded(`${here}/redirect?to=${there}/final`)).rejects.toMatchObject({ code: "EGRESS_REFUSED" });
    expect(received.map((call) => call.url.split("?")[0])).toEqual(["/redirect"]);
  });

  it("refuses ports other than 80 and 443 unless listed", async () => {
    await expect(open()("http://example.com:22/")).rejects.toThrow("port 22 is not allowed");
  });

  it("takes no proxy from the environment", async () => {
    for (const name of ["http_proxy", "HTTP_PROXY", "ALL_PROXY"]) vi.stubEnv(name, there);
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    await open()(`${here}/final`);
    expect(received.map((call) => call.headers.host)).toEqual([new URL(here).host]);
  });

  it("refuses a socket that ended at another address than the one it was opened to", async () => {
    // The property `remoteAddress` cannot be replaced; it reads this.
    const peer = vi.spyOn(Socket.prototype as unknown as { _getpeername(): object }, "_getpeername");
    peer.mockReturnValue({ address: "169.254.169.254" });
    await expect(open()(`${here}/final`)).rejects.toMatchObject({ code: "EGRESS_REFUSED", details: { sent: "no" } });
    peer.mockReturnValue({});
    await expect(open()(`${here}/final`)).rejects.toMatchObject({ code: "EGRESS_FAILED", details: { sent: "no" } });
    peer.mockRestore();
    expect(received).toEqual([]);
  });

  it("says which origin in a configuration is not one", () => {
    expect(() => createGuardedFetch({ allowedOrigins: ["127.0.0.1:11434"] })).toThrow('"127.0.0.1:11434"');
  });
});

describe("redirects of guarded fetch", () => {
  it("are followed with credentials on the same origin and without them on another", async () => {
    const headers = { authorization: "Bearer x", cookie: "c=1", "x-api-key": "k", accept: "text/plain" };
    await open()(`${here}/redirect?to=${encodeURIComponent(`/redirect?to=${there}/final`)}`, { headers });
    expect(
      received.map((call) => [call.headers.authorization, call.headers["x-api-key"], call.headers.cookie]),
    ).toEqual([
      ["Bearer x", "k", "c=1"],
      ["Bearer x", "k", "c=1"],
      [undefined, undefined, undefined],
    ]);
    expect(received[2]?.headers.accept).toBe("text/plain");
  });

  it.each([
    [301, "GET", ""],
    [302, "GET", ""],
    [303, "GET", ""],
    [307, "POST", "payload"],
    [308, "POST", "payload"],
  ])("with status %i turn a POST into %s", async (status, method, body) => {
    await open()(`${here}/redirect?status=${status}`, { method: "POST", body: "payload" });
    expect(received[1]).toMatchObject({ method, body });
  });

  it("do not carry a body to another origin", async () => {
    const request = open()(`${here}/redirect?status=307&to=${there}/final`, { method: "POST", body: "payload" });
    await expect(request).rejects.toMatchObject({ code: "EGRESS_REFUSED", details: { sent: "maybe" } });
    expect(received).toHaveLength(1);
  });

  it("end after five", async () => {
    await expect(open()(`${here}/loop`)).rejects.toThrow("redirect number 6 of at most 5");
    expect(received).toHaveLength(6);
  });

  it("are given to the caller, or refused, as the request says", async () => {
    const guarded = open();
    const response = await guarded(`${here}/redirect`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([302, "/final"]);
    await expect(guarded(`${here}/redirect`, { redirect: "error" })).rejects.toMatchObject({ code: "EGRESS_REFUSED" });
  });
});

describe("limits of guarded fetch", () => {
  it.each(["/large", "/gzip", "/brotli"])("stop a body that grows over the cap: %s", async (path) => {
    const response = await open({ maxBodyBytes: 100_000 })(`${here}${path}`);
    await expect(response.text()).rejects.toMatchObject({ code: "RESPONSE_TOO_LARGE", details: { sent: "maybe" } });
  });

  it("let a body of exactly the cap through", async () => {
    const response = await open({ maxBodyBytes: zeros.length })(`${here}/gzip`);
    expect((await response.arrayBuffer()).byteLength).toBe(zeros.length);
  });

  it("end the wait for headers and for the rest of a body", async () => {
    const guarded = open({ timeoutMs: 60 });
    const timeout = { code: "EGRESS_TIMEOUT", retryable: true, details: { sent: "maybe" } };
    await expect(guarded(`${here}/silent`)).rejects.toMatchObject(timeout);
    const response = await guarded(`${here}/half`);
    await expect(response.text()).rejects.toMatchObject(timeout);
  });

  it("end the wait for the first byte without ending a slow body", async () => {
    const guarded = open({ firstByteMs: 25 });
    await expect(guarded(`${here}/silent`)).rejects.toThrow("no answer within 25 ms");
    expect(await (await guarded(`${here}/stream`)).text()).toContain("two");
  });

  it("say that a request was not sent when its deadline passed during the look-up", async () => {
    const guarded = open({ timeoutMs: 30, lookup: () => delay(90, ["93.184.216.34"]) });
    await expect(guarded("http://slow.test/")).rejects.toMatchObject({
      code: "EGRESS_TIMEOUT",
      details: { sent: "no" },
    });
  });
});

describe("failures of guarded fetch", () => {
  it("say whether the request may have been sent", async () => {
    const guarded = open();
    await expect(guarded(`${here}/reset`)).rejects.toMatchObject(failure("maybe", "ECONNRESET"));
    const cut = await guarded(`${here}/cut`);
    await expect(cut.text()).rejects.toMatchObject({ code: "EGRESS_FAILED", details: { sent: "maybe" } });

    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const gone = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    await new Promise((resolve) => closed.close(resolve));
    await expect(open({ allowedOrigins: [gone] })(gone)).rejects.toMatchObject(failure("no", "ECONNREFUSED"));

    const notFound = Object.assign(new Error("none"), { code: "ENOTFOUND" });
    const lookup = (): Promise<string[]> => Promise.reject(notFound);
    await expect(open({ lookup })("http://nowhere.test/")).rejects.toMatchObject(failure("no", "ENOTFOUND"));
  });

  it("reject with the caller's own reason when the caller aborts", async () => {
    const guarded = open();
    const reason = new Error("run cancelled");
    const aborted = AbortSignal.abort(reason);
    await expect(guarded(`${here}/final`, { signal: aborted })).rejects.toBe(reason);
    const controller = new AbortController();
    const pending = guarded(`${here}/silent`, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(pending).rejects.toBe(reason);
    const half = new AbortController();
    const response = await guarded(`${here}/half`, { signal: half.signal });
    half.abort(reason);
    await expect(response.text()).rejects.toBe(reason);
  });

  it("do not quote a header that is not valid", async () => {
    const request = open()(`${here}/final`, { headers: { authorization: "Bearer hid\nden" } });
    const error: unknown = await request.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "EGRESS_REFUSED" });
    expect(inspect(error)).not.toContain("hid");
  });

  it("include an answer that is no HTTP status", async () => {
    await expect(open()(`${here}/strange`)).rejects.toMatchObject({ code: "RESPONSE_INVALID" });
  });

  it("include what was under way when it is closed", async () => {
    const guarded = open();
    const pending = guarded(`${here}/silent`);
    setTimeout(() => void guarded.close(), 30);
    await expect(pending).rejects.toMatchObject({ code: "EGRESS_FAILED", details: { sent: "maybe" } });
  });
});
