import { startTestApp, type TestApp } from "sluice/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import config from "../sluice.config.ts";
import { samples } from "./samples.ts";

let test: TestApp;

beforeAll(async () => {
  test = await startTestApp({ config });
});

afterEach(() => test.sandbox.setFaults([]));

afterAll(() => test.close());

/** What Slack and the CRM have of a lead. */
async function effectsOf(lead: { readonly company: string; readonly email: string }) {
  const messages = await test.sandbox.slackMessages();
  const contacts = await test.sandbox.hubspotContacts();
  return {
    messages: messages.filter((message) => message.text.startsWith(`${lead.company}:`)),
    contacts: contacts.filter((contact) => contact.properties["email"] === lead.email),
  };
}

describe("[P1] lead-routing", () => {
  const urgent = samples["urgent and large"];

  it("tells Slack of an urgent, large lead and files it in the CRM with score and tags", async () => {
    const run = await test.run("lead-routing", urgent);
    expect(run).toMatchObject({
      status: "succeeded",
      output: { urgency: "high", deal_size: "large", route_to: "sales" },
    });
    const { score } = run.output as { score: number };
    expect(score).toBeGreaterThan(70);
    const { messages, contacts } = await effectsOf(urgent);
    expect(messages).toMatchObject([{ channelName: "high-priority-leads" }]);
    expect(contacts).toMatchObject([{ properties: { sluice_score: String(score), sluice_tags: "sales;high" } }]);
    expect(run.effects.map(({ action, state }) => `${action} ${state}`)).toEqual([
      "slack.postMessage done",
      "hubspot.createLead done",
    ]);
  });

  it("files a vague lead and leaves Slack in peace", async () => {
    const run = await test.run("lead-routing", samples.vague);
    expect(run).toMatchObject({ status: "succeeded", output: { urgency: "low" } });
    const { messages, contacts } = await effectsOf(samples.vague);
    expect(messages).toEqual([]);
    expect(contacts).toHaveLength(1);
  });

  it("routes a request for help to support", async () => {
    const run = await test.run("lead-routing", samples["support request"]);
    expect(run).toMatchObject({ status: "succeeded", output: { route_to: "support" } });
    const { messages, contacts } = await effectsOf(samples["support request"]);
    expect(messages).toEqual([]);
    expect(contacts).toMatchObject([{ properties: { sluice_tags: expect.stringMatching(/^support;/) as string } }]);
  });

  it("[R8] sends the model the company and the message, and nothing else of the lead", async () => {
    const { aiCalls } = await test.run("lead-routing", urgent);
    expect(aiCalls).toMatchObject([{ availableFields: 4, simulated: true }]);
    expect(aiCalls[0]?.sentFields.map(({ name, sources }) => [name, sources])).toEqual([
      ["company", ["company"]],
      ["message", ["message"]],
    ]);
    const sent = JSON.stringify(aiCalls[0]?.request);
    expect(sent).toContain(urgent.company);
    for (const kept of [urgent.email, urgent.name, ...urgent.name.split(" ")]) expect(sent).not.toContain(kept);
  });

  it("updates the contact of a lead who writes again", async () => {
    const lead = { ...samples.vague, email: "again@example.com" };
    await test.run("lead-routing", lead);
    await test.run("lead-routing", { ...lead, company: "Renamed Ltd" });
    const contacts = (await test.sandbox.hubspotContacts()).filter(
      (contact) => contact.properties["email"] === lead.email,
    );
    expect(contacts).toMatchObject([{ properties: { company: "Renamed Ltd" } }]);
  });

  it("[R3] tries again while Slack is down, and posts once", async () => {
    const lead = { ...urgent, company: "Patience Inc", email: "patience@example.com" };
    await test.sandbox.setFaults([
      { system: "slack", kind: "service_unavailable", times: 1, match: { path: "chat.postMessage" } },
      // The message is posted, and the answer is lost.
      { system: "slack", kind: "applied_then_no_answer", times: 1, match: { path: "chat.postMessage" } },
    ]);
    const run = await test.run("lead-routing", lead);
    expect(run.status).toBe("succeeded");
    expect(run.steps[1]?.attempts.map((attempt) => attempt.error?.code ?? null)).toEqual([
      "ACTION_UNAVAILABLE",
      "EGRESS_FAILED",
      null,
    ]);
    const { messages, contacts } = await effectsOf(lead);
    expect(messages).toHaveLength(1);
    expect(contacts).toHaveLength(1);
  });

  it("[R1] is started once by a signed delivery and its repeats", async () => {
    const lead = { ...urgent, company: "Webhook GmbH", email: "webhook@example.com" };
    const first = await test.send("lead-routing", lead, { deliveryId: "msg_1" });
    expect(first.status).toBe(202);
    const repeat = await test.send("lead-routing", lead, { deliveryId: "msg_1" });
    expect(repeat).toMatchObject({ status: 200, runId: first.runId });
    expect(await test.ended(first.runId ?? "")).toMatchObject({ status: "succeeded" });
    const { messages, contacts } = await effectsOf(lead);
    expect(messages).toHaveLength(1);
    expect(contacts).toHaveLength(1);
  });
});
