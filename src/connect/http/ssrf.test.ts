import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { Socket, type AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createGuardedFetch, type GuardedFetchOptions } from "./guarded-fetch.ts";

interface Corpus {
  readonly dns: { readonly [name: string]: readonly (readonly string[])[] };
  readonly reach: readonly string[];
  readonly connect: readonly string[];
  readonly redirect_targets: readonly string[];
  readonly schemes: readonly string[];
}

const corpus = JSON.parse(
  readFileSync(new URL("../../../test/data/ssrf/ssrf_corpus.json", import.meta.url), "utf8"),
) as Corpus;

let secretServer: Server;
let redirector: Server;
let secretPort: number;
let redirectorOrigin: string;
let secretsServed = 0;
let opened: string[] = [];

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  secretServer = createServer((_request, response) => {
    secretsServed += 1;
    response.end("SECRET");
  });
  redirector = createServer((request, response) => {
    response.writeHead(302, { location: decodeURIComponent(request.url?.slice(1) ?? "") }).end();
  });
  for (const server of [secretServer, redirector]) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }
  secretPort = portOf(secretServer);
  redirectorOrigin = `http://127.0.0.1:${portOf(redirector)}`;
});

afterAll(() => {
  for (const server of [secretServer, redirector]) server.closeAllConnections();
  secretServer.close();
  redirector.close();
});

beforeEach(() => {
  opened = [];
  secretsServed = 0;
  const connect: unknown = Reflect.get(Socket.prototype, "connect");
  // Every socket that would open is noted. Only the redirecting server is let through: no packet leaves this machine.
  vi.spyOn(Socket.prototype, "connect").mockImplementation(function intercept(this: Socket, ...args: unknown[]) {
    const [first] = args.flat() as [{ host?: string; port?: number | string }];
    const target = `${first.host}:${first.port}`;
    if (`http://${target}` === redirectorOrigin) return Reflect.apply(connect as () => unknown, this, args) as Socket;
    opened.push(target);
    queueMicrotask(() => this.destroy(new Error("intercepted")));
    return this;
  });
});

afterEach(() => vi.restoreAllMocks());

/** Looks up in the corpus's zone; a name with several answers gives one after the other. Takes "localhost" as systems do. */
function zone(): (name: string) => Promise<readonly string[]> {
  const asked = new Map<string, number>();
  return async (name) => {
    if (/^localhost\.?$/.test(name)) return ["127.0.0.1", "::1"];
    const answers = corpus.dns[name] ?? [];
    const count = asked.get(name) ?? 0;
    asked.set(name, count + 1);
    return answers[Math.min(count, answers.length - 1)] ?? [];
  };
}

async function attempt(url: string, options: GuardedFetchOptions = {}): Promise<string> {
  const guarded = createGuardedFetch({ lookup: zone(), ports: [80, 443, secretPort], timeoutMs: 2000, ...options });
  try {
    const response = await guarded(url);
    return await response.text();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await guarded.close();
  }
}

describe("guarded fetch against the SSRF corpus", () => {
  it("has all 63 cases", () => {
    const { reach, connect, redirect_targets: targets, schemes } = corpus;
    expect(reach.length + connect.length + targets.length + schemes.length).toBe(63);
  });

  it.each(corpus.reach)("does not reach this machine as %s", async (host) => {
    expect(await attempt(`http://${host}:${secretPort}/x`)).toBe("EGRESS_REFUSED");
    expect(opened).toEqual([]);
    expect(secretsServed).toBe(0);
  });

  it.each(corpus.connect)("opens no socket to %s", async (host) => {
    expect(await attempt(`http://${host}/latest/meta-data/`)).toBe("EGRESS_REFUSED");
    expect(await attempt(`https://${host}/latest/meta-data/`)).toBe("EGRESS_REFUSED");
    expect(opened).toEqual([]);
  });

  it.each(corpus.redirect_targets)("does not follow a redirect to %s", async (template) => {
    const target = template.replace("PORT", String(secretPort));
    const url = `${redirectorOrigin}/${encodeURIComponent(target)}`;
    expect(await attempt(url, { allowedOrigins: [redirectorOrigin] })).toBe("EGRESS_REFUSED");
    expect(opened).toEqual([]);
    expect(secretsServed).toBe(0);
  });

  it.each(corpus.schemes)("does not speak %s", async (url) => {
    expect(await attempt(url)).toBe("EGRESS_REFUSED");
    expect(opened).toEqual([]);
  });

  it("does not reach this machine by a name whose second answer differs", async () => {
    const guarded = createGuardedFetch({ lookup: zone(), ports: [secretPort], timeoutMs: 2000 });
    const url = `http://rebind.test:${secretPort}/x`;
    // The first answer is public: its socket is opened (and intercepted here), to that answer and no other.
    await expect(guarded(url)).rejects.toMatchObject({ code: "EGRESS_FAILED" });
    await expect(guarded(url)).rejects.toMatchObject({ code: "EGRESS_REFUSED" });
    expect(opened).toEqual([`rebind.test:${secretPort}`]);
    await guarded.close();
  });

  it("reaches neither metadata nor link-local addresses, even where the origin is allowed", async () => {
    for (const origin of ["http://meta.test", "http://169.254.169.254", "http://cgnat.test", "http://zero.test"]) {
      expect(await attempt(`${origin}/`, { allowedOrigins: [origin] })).toBe("EGRESS_REFUSED");
    }
    expect(opened).toEqual([]);
  });

  it("names the host and never the query in the error", async () => {
    const guarded = createGuardedFetch({ lookup: zone() });
    const error: unknown = await guarded("http://meta.test/path?token=hidden").catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error)).toContain("meta.test");
    expect(JSON.stringify(error)).not.toMatch(/hidden|path/);
    expect(error).toMatchObject({ details: { sent: "no" }, retryable: false });
  });
});
