import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import { Problem, UserView } from "../api/schemas.ts";
import { issueSetupLink } from "../index.ts";

const owner = { name: "Priya", email: "Priya@Example.com", password: "correct horse battery" };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => server.sql("delete from sluice.sessions; delete from sluice.users; delete from sluice.setup_tokens"));
afterAll(() => server.close());

async function issueToken(): Promise<string> {
  const link = await issueSetupLink(server.workspace.people, server.adminUrl, new Date());
  return new URL(link!).searchParams.get("token")!;
}

async function codeOf(response: Response): Promise<string> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return Problem.parse(await response.json()).code;
}

const cookieOf = (response: Response): string => response.headers.get("set-cookie")!.split(";")[0]!;

/** Creates the owner and gives a header with their session. */
async function signedIn(): Promise<{ cookie: string }> {
  const response = await server.api("POST", "/setup", { body: { ...owner, token: await issueToken() } });
  expect(response.status).toBe(201);
  return { cookie: cookieOf(response) };
}

describe("setup", () => {
  it("makes whoever has the link the first admin and signs them in", async () => {
    const response = await server.api("POST", "/setup", { body: { ...owner, token: await issueToken() } });

    expect(response.status).toBe(201);
    expect(UserView.parse(await response.json())).toMatchObject({ email: "priya@example.com", role: "admin" });
    const me = await server.api("GET", "/session", { headers: { cookie: cookieOf(response) } });
    expect(await me.json()).toMatchObject({ name: "Priya" });
  });

  it("is not used up by looking at it", async () => {
    const token = await issueToken();
    for (const method of ["GET", "HEAD", "GET"]) await server.api(method, `/setup?token=${token}`);

    expect(await (await server.api("GET", `/setup?token=${token}`)).json()).toEqual({ live: true });
    expect((await server.api("POST", "/setup", { body: { ...owner, token } })).status).toBe(201);
    expect(await (await server.api("GET", `/setup?token=${token}`)).json()).toEqual({ live: false });
  });

  it("makes nobody an owner without the link", async () => {
    const response = await server.api("POST", "/setup", { body: { ...owner, token: "x".repeat(43) } });
    expect(await codeOf(response)).toBe("SETUP_LINK_INVALID");
    expect(await server.workspace.people.countUsers()).toBe(0);
  });

  it("does not take a link after a day", async () => {
    const token = await issueToken();
    await server.sql("update sluice.setup_tokens set expires_at = now() - interval '1 second'");
    expect(await codeOf(await server.api("POST", "/setup", { body: { ...owner, token } }))).toBe("SETUP_LINK_INVALID");
  });

  it("gives the place to one of two links used at once", async () => {
    const tokens = [await issueToken(), await issueToken()];
    const answers = await Promise.all(
      tokens.map((token) => server.api("POST", "/setup", { body: { ...owner, token } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
    expect(await server.workspace.people.countUsers()).toBe(1);
  });

  it("issues no link once there is a user", async () => {
    await signedIn();
    expect(await issueSetupLink(server.workspace.people, server.adminUrl, new Date())).toBeNull();
    const response = await server.api("POST", "/setup", { body: { ...owner, token: "x" } });
    expect(await codeOf(response)).toBe("SETUP_ALREADY_DONE");
  });

  it("stores neither password nor token", async () => {
    const token = await issueToken();
    await server.api("POST", "/setup", { body: { ...owner, token } });
    const user = await server.workspace.people.findUserByEmail(owner.email);
    expect(user!.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(server.log)).not.toContain(token);
  });

  it("names the fields that do not fit, and no values", async () => {
    const body = { token: "t", name: "\u0000", email: "not-an-address", password: "short-pass" };
    const text = await (await server.api("POST", "/setup", { body })).text();
    const problem = Problem.parse(JSON.parse(text));
    expect(problem).toMatchObject({ status: 422, code: "REQUEST_INVALID" });
    expect(problem.issues?.map(({ path }) => path)).toEqual(["/name", "/email", "/password"]);
    for (const value of ["not-an-address", "short-pass"]) expect(text).not.toContain(value);
  });
});

describe("signing in", () => {
  it("answers an unknown address as it does a wrong password", async () => {
    await signedIn();
    const wrong = await server.api("POST", "/session", { body: { email: owner.email, password: "wrong" } });
    const unknown = await server.api("POST", "/session", { body: { email: "who@example.com", password: "wrong" } });
    expect(wrong.status).toBe(401);
    expect(await wrong.json()).toEqual(await unknown.json());
  });

  it("slows down guessing at one address and says when to come back", async () => {
    const body = { email: "guess@example.com", password: "no" };
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.api("POST", "/session", { body })));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(refused).toHaveLength(3);
    expect(refused[0]!.headers.get("retry-after")).toBe("1");
    expect(await codeOf(refused[0]!)).toBe("SIGN_IN_THROTTLED");
  });

  it("refuses an address with NUL instead of failing on it", async () => {
    const response = await server.api("POST", "/session", { body: { email: "a\u0000@example.com", password: "no" } });
    expect(await codeOf(response)).toBe("REQUEST_INVALID");
  });
});

describe("a session", () => {
  it("is held by a cookie that scripts and other sites do not get", async () => {
    const token = await issueToken();
    const response = await server.api("POST", "/setup", { body: { ...owner, token } });
    expect(response.headers.get("set-cookie")).toMatch(
      /^sluice_session=[\w-]{43}; Max-Age=28800; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it("is over after half an hour without use", async () => {
    const headers = await signedIn();
    await server.sql("update sluice.sessions set seen_at = now() - interval '29 minutes'");
    expect((await server.api("GET", "/session", { headers })).status).toBe(200);
    await server.sql("update sluice.sessions set seen_at = now() - interval '31 minutes'");
    expect(await codeOf(await server.api("GET", "/session", { headers }))).toBe("UNAUTHENTICATED");
  });

  it("is over after eight hours, however busy", async () => {
    const headers = await signedIn();
    await server.sql("update sluice.sessions set expires_at = expires_at - interval '8 hours'");
    expect(await codeOf(await server.api("GET", "/session", { headers }))).toBe("UNAUTHENTICATED");
  });

  it("ends for good by signing out", async () => {
    const headers = { ...(await signedIn()), origin: server.adminUrl };
    const response = await server.api("DELETE", "/session", { headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("set-cookie")).toMatch(/^sluice_session=; Max-Age=0;/);
    expect((await server.api("GET", "/session", { headers })).status).toBe(401);
  });
});

describe("requests that other pages make a browser send", () => {
  const body = { name: "bot", role: "viewer" } as const;
  const create = async (headers: { [name: string]: string }): Promise<Response> =>
    server.api("POST", "/keys", { body, headers });

  it("pass from our own page", async () => {
    const session = await signedIn();
    expect((await create({ ...session, origin: server.adminUrl, "sec-fetch-site": "same-origin" })).status).toBe(201);
  });

  it.each([
    ["another site", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
    ["another port of this host", { origin: "http://127.0.0.1:3000", "sec-fetch-site": "same-site" }],
    ["another site that hides its origin", { "sec-fetch-site": "cross-site" }],
    ["something that sends a cookie without saying where it is from", {}],
  ])("are refused from %s", async (_from, headers) => {
    const session = await signedIn();
    const before = await server.workspace.apiKeys.list();
    expect(await codeOf(await create({ ...session, ...headers }))).toBe("ORIGIN_NOT_ALLOWED");
    expect(await server.workspace.apiKeys.list()).toEqual(before);
  });

  it("cannot sign a browser in to somebody else's account either", async () => {
    const credentials = { email: owner.email, password: owner.password };
    const headers = { origin: "https://evil.example" };
    const response = await server.api("POST", "/session", { body: credentials, headers });
    expect(await codeOf(response)).toBe("ORIGIN_NOT_ALLOWED");
  });
});

describe("API keys", () => {
  it("are shown once and let their owner in until they are revoked", async () => {
    const created = await server.api("POST", "/keys", { as: "admin", body: { name: "ci", role: "operator" } });
    const { id, token } = (await created.json()) as { id: string; token: string };
    expect(token).toMatch(/^sk_[\w-]{43}$/);
    expect(await (await server.api("GET", "/keys", { as: "admin" })).text()).not.toContain(token);

    const headers = { authorization: `Bearer ${token}` };
    expect(await (await server.api("GET", "/session", { headers })).json()).toMatchObject({
      name: "ci",
      role: "operator",
    });
    expect((await server.api("DELETE", `/keys/${id}`, { as: "admin" })).status).toBe(204);
    expect((await server.api("GET", "/session", { headers })).status).toBe(401);
    expect(await codeOf(await server.api("DELETE", `/keys/${id}`, { as: "admin" }))).toBe("NOT_FOUND");
  });

  it("that are wrong do not fall back to the cookie", async () => {
    const session = await signedIn();
    const response = await server.api("GET", "/session", { headers: { ...session, authorization: "Bearer sk_wrong" } });
    expect(response.status).toBe(401);
  });
});

it("uses a __Host- cookie and HSTS where people come by https", async () => {
  const secure = await startTestServer({ secureCookies: true });
  try {
    const link = await issueSetupLink(secure.workspace.people, secure.adminUrl, new Date());
    const token = new URL(link!).searchParams.get("token")!;
    const response = await secure.api("POST", "/setup", { body: { ...owner, token } });
    expect(response.headers.get("set-cookie")).toMatch(
      /^__Host-sluice=[\w-]{43}; Max-Age=28800; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(response.headers.get("strict-transport-security")).toBe("max-age=31536000");
    const me = await secure.api("GET", "/session", { headers: { cookie: cookieOf(response) } });
    expect(me.status).toBe(200);
  } finally {
    await secure.close();
  }
});
