import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../test/support/test-server.ts";
import { createAdminApplication } from "./applications.ts";
import { roles } from "./api/schemas.ts";
import { routes } from "./api/routes.ts";
import type { Services } from "./api/route.ts";
import type { Access } from "./auth/caller.ts";

/** Written out a second time on purpose: who may call a route changes in two places or not at all. */
const expectedAccess: { readonly [route: string]: Access } = {
  "GET /setup": "anyone",
  "POST /setup": "anyone",
  "POST /session": "anyone",
  "GET /session": "read",
  "DELETE /session": "anyone",
  "GET /status": "read",
  "GET /overview": "read",
  "GET /flows": "read",
  "GET /flows/:name": "read",
  "PUT /flows/:name/samples/:sample": "act",
  "POST /flows/:name/samples/:sample/send": "act",
  "POST /flows/:name/runs": "act",
  "POST /flows/:name/recheck": "act",
  "GET /runs": "read",
  "GET /runs/:id": "read",
  "POST /runs/:id/resume": "act",
  "POST /runs/:id/cancel": "act",
  "POST /runs/:id/rule": "act",
  "POST /runs/:id/migrate": "act",
  "POST /runs/:id/signals/:name": "act",
  "GET /failures": "read",
  "GET /failures/:fingerprint": "read",
  "POST /failures/:fingerprint/resume": "act",
  "GET /queue": "read",
  "GET /questions": "read",
  "GET /models": "read",
  "POST /models/test": "act",
  "POST /models/resume": "act",
  "GET /costs": "read",
  "GET /data-map": "read",
  "GET /ledger": "audit",
  "POST /ledger/verify": "audit",
  "GET /ledger/export": "audit",
  "POST /ledger/erase": "erase",
  "GET /changes": "read",
  "GET /keys": "keys",
  "POST /keys": "keys",
  "DELETE /keys/:id": "keys",
};

const allowed: { readonly [Group in Access]: readonly string[] } = {
  anyone: ["anonymous", ...roles],
  read: roles,
  act: ["admin", "builder", "operator"],
  keys: ["admin"],
  audit: ["admin", "auditor"],
  erase: ["admin"],
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("the route table", () => {
  it("says of every route who may call it, as written out here", () => {
    const actual = Object.fromEntries(routes.map((route) => [`${route.method} ${route.path}`, route.access]));
    expect(actual).toEqual(expectedAccess);
  });

  it("is the only way to put a route under /api", () => {
    const services = { ports: { hooks: undefined, publicUrl: "http://localhost" } } as unknown as Services;
    const app = createAdminApplication(
      services,
      { allowedHosts: [], secureCookies: false } as never,
      () => new Response(),
    );
    const mounted = app.routes
      .filter(({ path, method }) => path.startsWith("/api") && method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace("/api/v1", "")}`);
    expect(mounted.toSorted()).toEqual(Object.keys(expectedAccess).toSorted());
  });
});

describe.each(routes)("$method $path", (route) => {
  const path = route.path.replaceAll(/:\w+/g, "lead-routing");

  it.each(["anonymous", ...roles] as const)("is open to %s as its group says", async (caller) => {
    const known = caller === "anonymous" ? {} : { authorization: `Bearer ${await server.keyOf(caller)}` };
    const abort = new AbortController();
    const response = await fetch(`${server.adminUrl}/api/v1${path}`, {
      method: route.method,
      headers: known,
      signal: abort.signal,
    });
    const isStream = response.headers.get("content-type") === "text/event-stream";
    const code = response.ok ? null : ((await response.json()) as { code: string }).code;
    if (isStream) abort.abort();

    const refusal = caller === "anonymous" ? "UNAUTHENTICATED" : "FORBIDDEN";
    const refused = code === "UNAUTHENTICATED" || code === "FORBIDDEN" ? code : null;
    expect(refused).toBe(allowed[route.access].includes(caller) ? null : refusal);
  });
});
