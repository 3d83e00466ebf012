import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { secret } from "../../src/core/index.ts";
import { hubspotConnection } from "../../src/connect/connectors/hubspot.ts";
import { slackConnection } from "../../src/connect/connectors/slack.ts";
import { createFakeRun, type FakeRun } from "../../src/connect/fixtures/fake-run.ts";
import { startSandbox, type FaultKind, type HubspotContact, type Sandbox } from "../../src/sandbox/index.ts";

const { postMessage } = slackConnection({ token: secret("SLACK_BOT_TOKEN") });
const { createLead } = hubspotConnection({ token: secret("HUBSPOT_TOKEN") });

/** Faults after which the next attempt goes through. */
const passing = [
  "applied_then_no_answer",
  "not_applied_reset",
  "truncated_body",
  "html_200",
  "empty_body",
  "bad_gateway",
  "gateway_timeout",
] as const satisfies readonly (FaultKind<"slack"> & FaultKind<"hubspot">)[];

let folder: string;
let sandbox: Sandbox;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-connectors-"));
  sandbox = await startSandbox({ folder });
});

afterEach(() => sandbox.setFaults([]));

afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

function startRun(baseUrl: string, token: string, diesBeforeRecord: boolean): FakeRun {
  runs += 1;
  const override = { baseUrl, secrets: { token } };
  return createFakeRun({ override, allowedOrigins: [sandbox.origin], diesBeforeRecord, runId: `run_${runs}` });
}

const slackRun = (dies = false): FakeRun => startRun(sandbox.slackUrl, sandbox.credentials.slackToken, dies);
const hubspotRun = (dies = false): FakeRun => startRun(sandbox.hubspotUrl, sandbox.credentials.hubspotToken, dies);

/** Posts a message; gives what the action answered and what Slack has with its text. */
async function post(run: FakeRun, channel: string) {
  const text = `message ${runs}`;
  const posted = await run.within(() => postMessage({ channel, text }));
  return { posted, found: await placesOf(text) };
}

async function placesOf(text: string) {
  const messages = (await sandbox.slackMessages()).filter((message) => message.text === text);
  return messages.map(({ channel, ts }) => ({ channel, ts }));
}

const leadOf = (email: string) => ({
  name: "Ada Lovelace",
  email,
  company: "Acme",
  score: 87,
  tags: ["sales", "high"],
});

async function contactsOf(email: string): Promise<readonly HubspotContact[]> {
  return (await sandbox.hubspotContacts()).filter((contact) => contact.properties["email"] === email);
}

describe("slack.postMessage against the sandbox", () => {
  it.each([...passing, "ratelimited", "internal_error", "fatal_error", "server_error"] as const)(
    "posts exactly once after %s",
    async (kind) => {
      await sandbox.setFaults([{ system: "slack", kind, times: 1, match: { path: "chat.postMessage" } }]);
      const run = slackRun();
      const { posted, found } = await post(run, `#after-${kind}`);
      expect(found).toEqual([posted]);
      expect(run.steps[0]?.attempts).toBe(2);
      expect([...run.receipts.values()]).toMatchObject([{ state: "done", response: posted }]);
    },
  );

  it("posts exactly once when the answer is lost and looking for the message fails at first", async () => {
    await sandbox.setFaults([
      { system: "slack", kind: "applied_then_no_answer", times: 1, match: { path: "chat.postMessage" } },
      { system: "slack", kind: "not_applied_reset", times: 1, match: { path: "conversations.list" } },
      { system: "slack", kind: "bad_gateway", times: 1, match: { path: "conversations.history" } },
    ]);
    const { posted, found } = await post(slackRun(), "#leads");
    expect(found).toEqual([posted]);
  });

  it("posts exactly once when the process dies before its record", async () => {
    const { posted, found } = await post(slackRun(true), "#leads");
    expect(found).toEqual([posted]);
  });

  it("finds its message behind pages of others", async () => {
    const first = slackRun();
    // The effect happens and its answer is lost: the run stops here, as when its process dies.
    await sandbox.setFaults([
      { system: "slack", kind: "applied_then_no_answer", times: 1, match: { body: "early" } },
      { system: "slack", kind: "restricted_action", match: { path: "conversations.history" } },
    ]);
    const stopped = first.within(() => postMessage({ channel: "#busy", text: "early" }));
    await expect(stopped).rejects.toMatchObject({ code: "EFFECT_IN_DOUBT" });
    await sandbox.setFaults([]);
    const others = Array.from({ length: 230 }, () => ({ channel: "#busy", text: "other" }));
    await slackRun().within(() => Promise.all(others.map((message) => postMessage(message))));
    const posted = await first.again(() => postMessage({ channel: "#busy", text: "early" }));
    expect(await placesOf("early")).toEqual([posted]);
  });
});

describe("hubspot.createLead against the sandbox", () => {
  it("creates a contact, and the properties that it needs", async () => {
    const result = await hubspotRun().within(() => createLead(leadOf("first@example.com")));
    const properties = { firstname: "Ada", lastname: "Lovelace", sluice_score: "87", sluice_tags: "sales;high" };
    expect(result.created).toBe(true);
    expect(await contactsOf("first@example.com")).toMatchObject([{ id: result.contactId, properties }]);
  });

  const cases = passing.flatMap((kind) => (["GET", "POST"] as const).map((method) => [kind, method] as const));
  it.each(cases)("makes one contact after %s of %s", async (kind, method) => {
    await sandbox.setFaults([{ system: "hubspot", kind, times: 1, match: { method, path: "contacts" } }]);
    const email = `${kind}.${method.toLowerCase()}@example.com`;
    const run = hubspotRun();
    const result = await run.within(() => createLead(leadOf(email)));
    expect((await contactsOf(email)).map(({ id }) => id)).toEqual([result.contactId]);
    expect([...run.receipts.values()]).toMatchObject([{ state: "done", response: result }]);
    expect((await sandbox.calls()).filter(({ fault }) => fault === kind)).not.toEqual([]);
  });

  it("makes one contact when the process dies before its record", async () => {
    const result = await hubspotRun(true).within(() => createLead(leadOf("dies@example.com")));
    expect((await contactsOf("dies@example.com")).map(({ id }) => id)).toEqual([result.contactId]);
  });
});
