import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientRequest } from "node:http";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDashboard } from "./dashboard.ts";
import { listen, type Listener } from "./listener.ts";

let parent: string;
let listener: Listener;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "sluice-dashboard-"));
  const folder = join(parent, "dashboard");
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(folder, "index.html"), "<p>the page");
  await writeFile(join(folder, "favicon.svg"), "<svg/>");
  await writeFile(join(folder, "assets/index-a1b2c3d4.js"), "run()");
  await writeFile(join(folder, "assets/inter-a1b2c3d4.woff2"), "font");
  await writeFile(join(parent, "secret.txt"), "secret");
  await symlink(join(parent, "secret.txt"), join(folder, "link.txt"));
  listener = await serve(folder);
});
afterAll(async () => {
  await listener.close(0);
  await rm(parent, { recursive: true });
});

async function serve(folder: string | null): Promise<Listener> {
  const app = new Hono().get("*", await createDashboard(folder));
  return listen({ host: "127.0.0.1", port: 0, fetch: app.fetch, headers: {} });
}

const open = (path: string): Promise<Response> => fetch(listener.url + path, { headers: { accept: "text/html,*/*" } });

/** Sends a path as it is; fetch would tidy it up first. */
function raw(path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(listener.url);
    const outgoing = new ClientRequest({ hostname, port, path }, (incoming) => {
      let text = "";
      incoming.on("data", (chunk: Buffer) => (text += chunk.toString()));
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
    outgoing.on("error", reject).end();
  });
}

describe("the dashboard", () => {
  it.each([
    ["/assets/index-a1b2c3d4.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
    ["/assets/inter-a1b2c3d4.woff2", "font/woff2", "public, max-age=31536000, immutable"],
    ["/favicon.svg", "image/svg+xml", "no-cache"],
    ["/index.html", "text/html; charset=utf-8", "no-cache"],
  ])("serves %s with its type, kept as long as it may be", async (path, type, caching) => {
    const { status, headers } = await fetch(listener.url + path);
    expect([status, headers.get("content-type"), headers.get("cache-control")]).toEqual([200, type, caching]);
  });

  it.each(["/", "/runs/run_1", "/setup?token=abc"])("answers %s with its page", async (path) => {
    const response = await open(path);
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(await response.text()).toBe("<p>the page");
  });

  it("does not answer with its page where a script or the API was meant", async () => {
    expect((await fetch(`${listener.url}/assets/gone-00000000.js`)).status).toBe(404);
    expect((await open("/api/v1/nothing")).status).toBe(404);
  });

  it.each([
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/assets/..%5c..%5csecret.txt",
    "/\\..\\secret.txt",
    "//secret.txt",
    "/link.txt",
    "/index.html%00.js",
  ])("does not let %s out of its folder", async (path) => {
    const { status, text } = await raw(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).not.toContain("secret");
  });

  it.each([null, "/nowhere/at/all"])("says how to build it when its folder is %s", async (folder) => {
    const unbuilt = await serve(folder);
    const response = await fetch(`${unbuilt.url}/runs`, { headers: { accept: "text/html" } });
    expect(await response.text()).toContain("npm run build");
    await unbuilt.close(0);
  });
});
