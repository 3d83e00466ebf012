import { afterEach, describe, expect, it } from "vitest";
import { type Json, secret } from "../../core/index.ts";
import { createFakeRun, type FakeRun } from "../fixtures/fake-run.ts";
import { hubspotConnection, type HubspotLead } from "./hubspot.ts";
import { startStandIn, type StandIn, type StandInAnswer, type StandInCall } from "../fixtures/stand-in.ts";

const token = "pat-sandbox-token";
const lead = {
  name: "Grace Brewster Hopper",
  email: "grace+navy@example.com",
  company: "Navy",
  message: "Call me",
  score: 87,
  tags: ["sales", "high"],
};

let contacts = new Map<string, { id: string; properties: { [name: string]: Json } }>();
let properties = new Set<string>();
let faults: { readonly on: string; readonly answer: StandInAnswer; readonly applied?: boolean }[] = [];
let standIn: StandIn | undefined;

afterEach(() => {
  standIn?.close();
  contacts = new Map();
  properties = new Set();
  faults = [];
});

const failed = (status: number, more: { [name: string]: Json }): StandInAnswer => ({
  status,
  body: { status: "error", correlationId: "c0ffee", ...more },
});

const missing = (names: readonly string[]): StandInAnswer => {
  const problems = names.map((name) => ({ isValid: false, error: "PROPERTY_DOESNT_EXIST", name }));
  const message = `Property values were not valid: ${JSON.stringify(problems)}`;
  return failed(400, { message, category: "VALIDATION_ERROR" });
};

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

function answerHubspot(call: StandInCall): StandInAnswer {
  const path = new URL(call.url, "http://hubspot").pathname;
  const route = `${call.method} ${path.split("/").slice(0, 5).join("/")}`;
  const index = faults.findIndex((fault) => fault.on === call.method);
  const [fault] = index < 0 ? [] : faults.splice(index, 1);
  if (fault && fault.applied !== true) return fault.answer;
  const answer = apply(route, path, call);
  return fault?.answer ?? answer;
}

function apply(route: string, path: string, call: StandInCall): StandInAnswer {
  const key = decodeURIComponent(path.split("/")[5] ?? "");
  const found = contacts.get(key) ?? [...contacts.values()].find((contact) => contact.id === key);
  const given = (call.body["properties"] ?? {}) as { [name: string]: Json };
  const unknown = Object.keys(given).filter((name) => name.includes("_") && !properties.has(name));
  if (route === "POST /crm/v3/properties/contacts") {
    properties.add(textOf(call.body["name"]));
    return { status: 201, body: {} };
  }
  if (route.startsWith("GET")) return found ? { body: { ...found } } : failed(404, { category: "OBJECT_NOT_FOUND" });
  if (unknown.length > 0) return missing(unknown);
  if (route.startsWith("PATCH") && found) {
    Object.assign(found.properties, given);
    return { body: { ...found } };
  }
  const email = textOf(given["email"]);
  if (contacts.has(email))
    return failed(409, { message: "Contact already exists. Existing ID: 101", category: "CONFLICT" });
  const contact = { id: String(101 + contacts.size), properties: given };
  contacts.set(email, contact);
  return { status: 201, body: { ...contact } };
}

async function startRun(): Promise<FakeRun> {
  standIn = await startStandIn(answerHubspot);
  return createFakeRun({
    override: { baseUrl: standIn.origin, secrets: { token } },
    allowedOrigins: [standIn.origin],
  });
}

const crm = hubspotConnection({ token: secret("HUBSPOT_TOKEN") });
const called = (): string[] => (standIn?.calls ?? []).map((call) => `${call.method} ${call.url}`);
const byEmail = "/crm/v3/objects/contacts/grace%2Bnavy%40example.com?idProperty=email";

function withProperties(): void {
  properties = new Set(["sluice_score", "sluice_tags"]);
}

describe("hubspot.createLead", () => {
  it("creates a contact with score and tags, and ignores fields that it does not know", async () => {
    const run = await startRun();
    withProperties();
    const more = { ...lead, utm_source: "ad" };
    const result = await run.within(() => crm.createLead(more));
    expect(result).toEqual({ contactId: "101", created: true });
    expect([...contacts.values()]).toEqual([
      {
        id: "101",
        properties: {
          email: "grace+navy@example.com",
          firstname: "Grace",
          lastname: "Brewster Hopper",
          company: "Navy",
          message: "Call me",
          sluice_score: "87",
          sluice_tags: "sales;high",
        },
      },
    ]);
    expect(called()).toEqual([`GET ${byEmail}`, "POST /crm/v3/objects/contacts"]);
    expect(standIn?.calls[1]?.headers).toMatchObject({
      authorization: `Bearer ${token}`,
      "idempotency-key": "run_test/0",
    });
    expect(run.steps[0]).toMatchObject({ name: "hubspot.createLead", input: lead });
  });

  it("updates the contact with the same e-mail address", async () => {
    const run = await startRun();
    withProperties();
    await run.within(() => crm.createLead(lead));
    const second = await run.within(() => crm.createLead({ name: "Grace", email: lead.email, score: 5, tags: [] }));
    expect(second).toEqual({ contactId: "101", created: false });
    expect(contacts.get(lead.email)?.properties).toMatchObject({
      firstname: "Grace",
      company: "Navy",
      sluice_score: "5",
      sluice_tags: "",
    });
  });

  it("updates instead of doubling when the answer was lost", async () => {
    const run = await startRun();
    withProperties();
    faults = [{ on: "POST", answer: { lost: true }, applied: true }];
    expect(await run.within(() => crm.createLead(lead))).toEqual({ contactId: "101", created: false });
    expect(contacts.size).toBe(1);
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "done", attempts: 2 });
  });

  it("updates when another run made the contact between look and write", async () => {
    const run = await startRun();
    withProperties();
    await run.within(() => crm.createLead(lead));
    faults = [{ on: "GET", answer: failed(404, { category: "OBJECT_NOT_FOUND" }) }];
    expect(await run.within(() => crm.createLead(lead))).toEqual({ contactId: "101", created: false });
    expect(called().slice(-3)).toEqual([`GET ${byEmail}`, "POST /crm/v3/objects/contacts", `PATCH ${byEmail}`]);
  });

  it("creates its properties in HubSpot once when they are missing, under the configured names", async () => {
    const run = await startRun();
    const named = hubspotConnection({ name: "crm", token: secret("T"), properties: { score: "lead_score" } });
    await run.within(() => named.createLead(lead));
    await run.within(() => named.createLead(lead));
    const definitions = standIn?.calls.filter((call) => call.url === "/crm/v3/properties/contacts") ?? [];
    expect(definitions.map((call) => call.body)).toMatchObject([
      { name: "lead_score", type: "number", fieldType: "number", groupName: "contactinformation" },
      { name: "sluice_tags", type: "string", fieldType: "text", groupName: "contactinformation" },
    ]);
    expect(contacts.get(lead.email)?.properties).toMatchObject({ lead_score: "87", sluice_tags: "sales;high" });
    expect(run.steps[0]?.name).toBe("crm.createLead");
  });

  it("goes on when another run created the properties first", async () => {
    const run = await startRun();
    withProperties();
    const exists = failed(409, { category: "OBJECT_ALREADY_EXISTS" });
    faults = [
      { on: "POST", answer: missing(["sluice_score"]) },
      { on: "POST", answer: exists },
    ];
    expect(await run.within(() => crm.createLead(lead))).toMatchObject({ created: true });
  });

  it.each([
    ["a single name", "Prince", { firstname: "Prince" }],
    ["white space", "  Ada   Lovelace ", { firstname: "Ada", lastname: "Lovelace" }],
  ])("splits %s", async (_what, name, expected) => {
    const run = await startRun();
    withProperties();
    await run.within(() => crm.createLead({ ...lead, name }));
    const { firstname, lastname } = contacts.get(lead.email)?.properties ?? {};
    expect(JSON.parse(JSON.stringify({ firstname, lastname }))).toEqual(expected);
  });

  it.each([
    ["no e-mail address", { email: "grace" }, "/email"],
    ["a tag with a semicolon", { tags: ["a;b"] }, "/tags/0"],
  ])("refuses %s before anything is sent", async (_what, change, path) => {
    const run = await startRun();
    const failing = run.within(() => crm.createLead({ ...lead, ...change } satisfies HubspotLead));
    await expect(failing).rejects.toMatchObject({ code: "ACTION_INPUT_INVALID", details: { issues: [{ path }] } });
    expect(called()).toEqual([]);
  });
});

describe("failures of hubspot.createLead", () => {
  const invalid =
    'Property values were not valid: [{"isValid":false,"message":"grace@navy","error":"INVALID_EMAIL","name":"email"}]';
  it.each([
    [401, { category: "INVALID_AUTHENTICATION" }, { code: "CONNECTION_AUTH_FAILED" }],
    [
      403,
      { category: "MISSING_SCOPES" },
      { code: "CONNECTION_AUTH_FAILED", details: { vendorCode: "MISSING_SCOPES" } },
    ],
    [
      400,
      { category: "VALIDATION_ERROR", message: invalid },
      { code: "ACTION_REJECTED", details: { vendorCode: "INVALID_EMAIL", property: "email", correlationId: "c0ffee" } },
    ],
    [
      400,
      { errors: [{ message: "grace@navy", code: "INVALID_OPTION", context: { propertyName: ["sluice_tags"] } }] },
      { code: "ACTION_REJECTED", details: { vendorCode: "INVALID_OPTION", property: "sluice_tags" } },
    ],
    [429, { policyName: "DAILY" }, { code: "ACTION_RATE_LIMITED", retryAfterMs: 3_600_000 }],
    [429, { policyName: "TEN_SECONDLY_ROLLING" }, { code: "ACTION_RATE_LIMITED", retryAfterMs: 10_000 }],
    [503, {}, { code: "ACTION_UNAVAILABLE", retryable: true }],
    [477, {}, { code: "ACTION_UNAVAILABLE", retryable: true }],
  ])("status %i with %j", async (status, body, expected) => {
    const run = await startRun();
    withProperties();
    const headers = { "x-hubspot-ratelimit-interval-milliseconds": "10000" };
    const answer = { ...failed(status, body), headers };
    faults = Array.from({ length: 9 }, () => ({ on: "POST", answer }));
    const error: unknown = await run.within(() => crm.createLead(lead)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(expected);
    expect(JSON.stringify(error)).not.toContain("grace");
  });

  it("takes a page in place of JSON for no answer", async () => {
    const run = await startRun();
    withProperties();
    faults = [
      { on: "GET", answer: { body: "<html></html>" } },
      { on: "GET", answer: { status: 502, body: "<html></html>" } },
    ];
    await run.within(() => crm.createLead(lead));
    expect(run.steps[0]?.failures).toEqual(["RESPONSE_INVALID", "ACTION_UNAVAILABLE"]);
  });
});
