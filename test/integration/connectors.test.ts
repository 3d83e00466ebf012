import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { secret } from "../../src/core/index.ts";
import { hubspotConnection } from "../../src/connect/connectors/hubspot.ts";
import { slackConnection } from "../../src/connect/connectors/slack.ts";
import { createFakeRun, type FakeRun } from "../../src/connect/fake-run.ts";
import { startSandbox, type FaultKind, type Sandbox } from "../../src/sandbox/index.ts";

const { postMessage } = slackConnection({ token: secret("SLACK_BOT_TOKEN") });
const { createLead } = hubspotConnection({ token: secret("HUBSPOT_TOKEN") });

let folder: string;
let sandbox: Sandbox;
let texts = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-connectors-"));
  sandbox = await startSandbox({ folder });
});

afterEach(() => sandbox.setFaults([]));

afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

function startRun(baseUrl: string, token: string, diesBeforeRecord = false): FakeRun {
  return createFakeRun({
    override: { baseUrl, secrets: { token } },
    allowedOrigins: [sandbox.origin],
    diesBeforeRecord,
    runId: `run_${(texts += 1)}`,
  });
}

/** Faults that cost no more than their retries: what they leave open is settled at once. */
const passing = [
  "applied_then_no_answer",
  "not_applied_reset",
  "truncated_body",
  "html_200",
  "empty_body",
  "bad_gateway",
  "gateway_timeout",
] as const satisfies readonly (FaultKind<"slack"> & FaultKind<"hubspot">)[];

describe("slack.postMessage against the sandbox", () => {
  const slackRun = (dies = false): FakeRun => startRun(sandbox.slackUrl, sandbox.credentials.slackToken, dies);

  async function postedOnce(run: FakeRun, channel: string): Promise<void> {
    const text = `message ${texts}`;
    const posted = await run.within(() => postMessage({ channel, text }));
    const messages = (await sandbox.slackMessages()).filter((message) => message.text === text);
    expect(messages.map(({ channel: id, ts }) => ({ channel: id, ts }))).toEqual([posted]);
    expect([...run.receipts.values()]).toMatchObject([{ state: "done", response: posted }]);
  }

  it.each([...passing, "ratelimited", "internal_error", "fatal_error", "server_error"] as const)(
    "posts exactly once after %s",
    async (kind) => {
      await sandbox.setFaults([{ system: "slack", kind, times: 1, match: { path: "chat.postMessage" } }]);
      const run = slackRun();
      await postedOnce(run, `#after-${kind}`);
      expect(run.steps[0]?.attempts).toBe(2);
    },
  );

  it("posts exactly once when every second answer of any method is lost", async () => {
    await sandbox.setFaults([
      { system: "slack", kind: "applied_then_no_answer", times: 1, match: { path: "chat.postMessage" } },
      { system: "slack", kind: "not_applied_reset", times: 1, match: { path: "conversations.list" } },
      { system: "slack", kind: "bad_gateway", times: 1, match: { path: "conversations.history" } },
    ]);
    await postedOnce(slackRun(), "#leads");
  });

  it("posts exactly once when the process dies before its record", async () => {
    await postedOnce(slackRun(true), "#leads");
  });

  it("finds its message behind several pages of others", async () => {
    const run = slackRun();
    await run.within(() =>
      Promise.all(Array.from({ length: 230 }, () => postMessage({ channel: "#busy", text: "x" }))),
    );
    const late = slackRun();
    await sandbox.setFaults([{ system: "slack", kind: "applied_then_no_answer", times: 1, match: { body: "early" } }]);
    const posted = await late.within(async () => {
      const first = postMessage({ channel: "#busy", text: "early" });
      return first;
    });
    expect((await sandbox.slackMessages()).filter(({ text }) => text === "early")).toMatchObject([posted]);
  });
});

describe("hubspot.createLead against the sandbox", () => {
  const hubspotRun = (dies = false): FakeRun => startRun(sandbox.hubspotUrl, sandbox.credentials.hubspotToken, dies);
  const leadOf = (email: string) => ({
    name: "Ada Lovelace",
    email,
    company: "Acme",
    score: 87,
    tags: ["sales", "high"],
  });

  it("creates a contact, and the properties that it needs", async () => {
    const run = hubspotRun();
    const result = await run.within(() => createLead(leadOf("first@example.com")));
    expect(result.created).toBe(true);
    const contacts = await sandbox.hubspotContacts();
    expect(contacts).toMatchObject([
      {
        id: result.contactId,
        properties: { firstname: "Ada", lastname: "Lovelace", sluice_score: "87", sluice_tags: "sales;high" },
      },
    ]);
  });

  it.each(passing.flatMap((kind) => [`${kind} of GET`, `${kind} of POST`]))(
    "makes one contact after %s",
    async (name) => {
      const [kind, method] = name.split(" of ") as [(typeof passing)[number], string];
      await sandbox.setFaults([{ system: "hubspot", kind, times: 1, match: { method, path: "contacts" } }]);
      const email = `${kind}.${method.toLowerCase()}@example.com`;
      const run = hubspotRun();
      const result = await run.within(() => createLead(leadOf(email)));
      const contacts = (await sandbox.hubspotContacts()).filter((contact) => contact.properties["email"] === email);
      expect(contacts.map((contact) => contact.id)).toEqual([result.contactId]);
      expect(run.steps[0]?.attempts).toBe(2);
      expect([...run.receipts.values()]).toMatchObject([{ state: "done", response: result }]);
    },
  );

  it("updates the contact when the process dies before its record", async () => {
    const result = await hubspotRun(true).within(() => createLead(leadOf("dies@example.com")));
    const contacts = (await sandbox.hubspotContacts()).filter(
      ({ properties }) => properties["email"] === "dies@example.com",
    );
    expect(contacts.map((contact) => contact.id)).toEqual([result.contactId]);
  });
});
