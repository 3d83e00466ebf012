import { ClientRequest } from "node:http";
import { createServer as createNetServer, type AddressInfo } from "node:net";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../test/support/test-server.ts";
import { Problem } from "./api/schemas.ts";

let server: TestServer;
let release: () => void = () => {};
const held = new Promise<void>((resolve) => (release = resolve));
let ready = true;

beforeAll(async () => {
  const hooks = new Hono()
    .post("/hooks/leads", (context) => context.json({ runId: "run_1" }, 202))
    .post("/hooks/slow", async (context) => {
      await held;
      return context.json({ done: true });
    })
    .post("/hooks/broken", () => {
      throw new TypeError("cannot read lead ada@example.com");
    });
  server = await startTestServer({}, () => ({ hooks, isReady: async () => ready }));
});
afterAll(() => server.close());

/** Sends what fetch would not: any Host header. */
function statusFor(base: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const outgoing = new ClientRequest({ hostname, port, path: "/healthz", headers: { host } }, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode ?? 0);
    });
    outgoing.on("error", reject).end();
  });
}

const problemOf = async (response: Response) => Problem.parse(await response.json());
const both = () => [server.publicUrl, server.adminUrl];

describe("both listeners", () => {
  it.each(["localhost", "localhost:4601", "127.0.0.1", "[::1]:4600", "hooks.example.com", "Sluice.Example.Com:8443"])(
    "answer to the host %s",
    async (host) => {
      for (const base of both()) expect(await statusFor(base, host)).toBe(200);
    },
  );

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "0.0.0.0",
    "localhost:80@evil.example",
    "::1",
  ])("do not answer to the host %s", async (host) => {
    for (const base of both()) expect(await statusFor(base, host)).toBe(421);
  });

  it("tell whether they live and whether they can work", async () => {
    for (const base of both()) expect((await fetch(`${base}/healthz`)).status).toBe(200);
    ready = false;
    for (const base of both()) {
      const response = await fetch(`${base}/readyz`);
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    }
    ready = true;
    for (const base of both()) expect((await fetch(`${base}/readyz`)).status).toBe(200);
  });

  it("put the security headers on every kind of answer", async () => {
    const answers = [
      await fetch(`${server.publicUrl}/hooks/leads`, { method: "POST" }),
      await fetch(`${server.publicUrl}/hooks/broken`, { method: "POST" }),
      await fetch(`${server.publicUrl}/nothing`),
      await fetch(`${server.adminUrl}/`, { headers: { accept: "text/html" } }),
      await fetch(`${server.adminUrl}/api/v1/runs`),
      await fetch(`${server.adminUrl}/openapi.json`),
    ];
    for (const { headers } of answers) {
      expect(headers.get("content-security-policy")).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; " +
          "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
      );
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("strict-transport-security")).toBeNull();
    }
  });
});

describe("addresses", () => {
  it.each(["/api/v1/nothing", "/api/", "/nothing", "/assets/none.js"])(
    "%s leads nowhere, with code and hint",
    async (path) => {
      const problem = await problemOf(await fetch(server.adminUrl + path));
      expect(problem).toMatchObject({ status: 404, code: "NOT_FOUND", hint: expect.stringContaining("/openapi.json") });
    },
  );

  it("that take other methods say which", async () => {
    const response = await server.api("PATCH", "/session", { as: "admin" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "HEAD, POST, GET, DELETE"]);
    expect((await problemOf(response)).code).toBe("METHOD_NOT_ALLOWED");
    for (const path of ["/", "/healthz", "/openapi.json"]) {
      const refused = await fetch(server.adminUrl + path, { method: "POST" });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "HEAD, GET"]);
    }
  });

  it("of the admin side are not on the public one", async () => {
    for (const path of ["/", "/api/v1/session", "/openapi.json"]) {
      expect((await fetch(server.publicUrl + path)).status).toBe(404);
    }
  });
});

describe("an unexpected error", () => {
  it("is answered with an incident that the log tells more about, neither quoting what was sent", async () => {
    const response = await fetch(`${server.publicUrl}/hooks/broken`, { method: "POST" });
    const text = await response.text();
    const problem = Problem.parse(JSON.parse(text));
    expect(problem).toMatchObject({ status: 500, code: "INTERNAL" });

    const incident = /incident (\w{12})/.exec(problem.detail)![1];
    const line = server.log.findLast(({ event }) => event === "request.failed");
    expect(line).toMatchObject({ level: "error", fields: { incident, code: "INTERNAL" } });
    expect(line!.fields["stack"]).toMatch(/^TypeError\nat .*server\.test\.ts/);
    expect(text + JSON.stringify(server.log)).not.toContain("ada@example.com");
  });
});

describe("request bodies", () => {
  it.each([
    ["text that is not JSON", "{secret", {}, 400, "BODY_NOT_JSON"],
    ["a bomb of brackets", "[".repeat(100_000) + "]".repeat(100_000), {}, 400, "BODY_NOT_JSON"],
    ["a key __proto__", '{"a":[{"__proto__":{}}]}', {}, 400, "BODY_NOT_JSON"],
    ["more than 1 MB", JSON.stringify("x".repeat(1_048_577)), {}, 413, "BODY_TOO_LARGE"],
    ["a form", "email=a", { "content-type": "application/x-www-form-urlencoded" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
    ["nothing", "", {}, 422, "REQUEST_INVALID"],
    ["another shape", "[1]", {}, 422, "REQUEST_INVALID"],
  ] as const)("with %s are refused", async (_name, body, headers, status, expected) => {
    const response = await server.api("POST", "/session", { body, headers });
    expect([response.status, (await problemOf(response)).code]).toEqual([status, expected]);
  });

  it("that grow past 1 MB without saying so are refused", async () => {
    const chunk = new TextEncoder().encode(" ".repeat(65_536));
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(chunk);
        if ((sent += chunk.length) > 2_000_000) controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half", headers: { "content-type": "application/json" } };
    const response = await fetch(`${server.adminUrl}/api/v1/session`, init as RequestInit);
    expect((await problemOf(response)).code).toBe("BODY_TOO_LARGE");
  });
});

describe("starting and stopping", () => {
  it("says which port is in use, and leaves the other one closed", async () => {
    const taken = createNetServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(startTestServer({ adminPort: port })).rejects.toMatchObject({
      code: "PORT_IN_USE",
      message: `port ${port} of 127.0.0.1 is in use by another program`,
    });
    await new Promise((resolve) => taken.close(resolve));
  });

  it("lets a request under way end, and takes no new one", async () => {
    const under = fetch(`${server.publicUrl}/hooks/slow`, { method: "POST" });
    const stream = await server.api("GET", "/changes", { as: "viewer" });
    const streamEnd = stream.text();
    await fetch(`${server.publicUrl}/healthz`);
    const closed = server.close();
    await streamEnd;
    await expect(fetch(`${server.publicUrl}/healthz`)).rejects.toThrow("fetch failed");
    release();
    expect(await (await under).json()).toEqual({ done: true });
    await closed;
  });
});
