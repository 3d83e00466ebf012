import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hotLead, post, startApplication, type TestApplication } from "./application.ts";

let test: TestApplication;
let cookie: string;

beforeAll(async () => {
  test = await startApplication();
  cookie = await setUp();
});

afterAll(() => test.close());

/** Makes the first user by the setup link, as its page does; gives the session's cookie. */
async function setUp(): Promise<string> {
  const link = new URL((await test.app.setupLink())!);
  const user = { name: "Ada", email: "ada@example.com", password: "a long enough passphrase" };
  const response = await fetch(`${test.adminUrl}/api/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: test.adminUrl },
    body: JSON.stringify({ ...user, token: link.searchParams.get("token") }),
  });
  expect(response.status).toBe(201);
  return response.headers.get("set-cookie")!.split(";")[0]!;
}

async function api(method: "GET" | "POST", path: string): Promise<{ status: number; body: RunView }> {
  const response = await fetch(`${test.adminUrl}/api/v1${path}`, {
    method,
    headers: { cookie, origin: test.adminUrl },
  });
  return { status: response.status, body: (await response.json()) as RunView };
}

async function send(company: string): Promise<string> {
  const lead = { ...hotLead, company, email: `${company.toLowerCase()}@example.com` };
  const response = await post(test.hookUrl, test.sign(JSON.stringify(lead)));
  return ((await response.json()) as { runId: string }).runId;
}

interface RunView {
  readonly status: string;
  readonly resumes: number;
  readonly error: { readonly code: string } | null;
  readonly steps: readonly { readonly name: string; readonly status: string; readonly attempts: readonly unknown[] }[];
}

describe("[R7] a failed run", () => {
  it("is visible with its reason, and resumed from the failed step without a second message", async () => {
    await test.sandbox.setFaults([{ system: "hubspot", kind: "missing_scopes" }]);
    const runId = await send("Resumed");
    await test.ended(runId);
    const failed = await api("GET", `/runs/${runId}`);
    expect(failed.body).toMatchObject({ status: "failed", error: { code: "CONNECTION_AUTH_FAILED" } });
    const outline = failed.body.steps.map(({ name, status }) => [name, status]);
    expect(outline).toEqual([
      ["analyse lead", "succeeded"],
      ["slack.postMessage", "succeeded"],
      ["crm.createLead", "failed"],
    ]);

    await test.sandbox.setFaults([]);
    expect((await api("POST", `/runs/${runId}/resume`)).status).toBe(202);
    expect(await test.ended(runId)).toMatchObject({ status: "succeeded", error: null });
    const resumed = await api("GET", `/runs/${runId}`);
    expect(resumed.body.resumes).toBe(1);
    expect(resumed.body.steps.map((step) => step.attempts.length)).toEqual([1, 1, 2]);
    const messages = (await test.sandbox.slackMessages()).filter(({ text }) => text.startsWith("Resumed:"));
    expect(messages).toHaveLength(1);
    const contacts = await test.sandbox.hubspotContacts();
    expect(contacts.filter(({ properties }) => properties["email"] === "resumed@example.com")).toHaveLength(1);
  });

  it("is not resumed by somebody without a session", async () => {
    const response = await fetch(`${test.adminUrl}/api/v1/runs/run_1/resume`, { method: "POST" });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: "UNAUTHENTICATED" });
  });
});

describe("live events", () => {
  it("tell of a run from its acceptance to its end", async () => {
    const stream = await fetch(`${test.adminUrl}/api/v1/changes`, { headers: { cookie } });
    const runId = send("Watched");
    const topics: string[] = [];
    let text = "";
    for await (const bytes of stream.body!.pipeThrough(new TextDecoderStream())) {
      text += bytes;
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      const own = events.filter((event) => /^data: /m.test(event));
      for (const event of own) {
        const data = JSON.parse(/^data: (.*)$/m.exec(event)![1]!) as { topic: string; runId: string };
        if (data.runId === (await runId)) topics.push(data.topic);
      }
      if (topics.includes("run.succeeded")) break;
    }
    // While there is room, a run begins with its acceptance and is never queued.
    expect(topics.at(0)).toBe("run.running");
    expect(topics.at(-1)).toBe("run.succeeded");
    expect(topics.filter((topic) => topic === "step.succeeded")).toHaveLength(3);
  });
});

describe("what watches the service", () => {
  it("finds it alive and ready on both listeners", async () => {
    for (const url of [test.publicUrl, test.adminUrl]) {
      expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: "alive" });
      expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: "ready" });
    }
  });

  it("gets the description of the API, which names what this test called", async () => {
    const response = await fetch(`${test.adminUrl}/openapi.json`, { headers: { cookie } });
    expect(response.status).toBe(200);
    const document = (await response.json()) as { openapi: string; paths: Record<string, unknown> };
    expect(document.openapi).toMatch(/^3\.1\./);
    const paths = Object.keys(document.paths);
    for (const path of ["/setup", "/runs/{id}", "/runs/{id}/resume", "/changes"]) {
      expect(paths.some((candidate) => candidate.endsWith(path))).toBe(true);
    }
  });
});
