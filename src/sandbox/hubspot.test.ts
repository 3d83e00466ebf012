import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "./index.ts";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The shapes under test are checked by the assertions.
  readonly body: any; // oxlint-disable-line typescript/no-explicit-any
}

let folder: string;
let sandbox: Sandbox;

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${sandbox.hubspotUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${sandbox.credentials.hubspotToken}`,
      "content-type": "application/json",
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const contacts = "/crm/v3/objects/contacts";
const create = (properties: object) => call("POST", contacts, { properties });
const equal = (propertyName: string, value: string) => ({ propertyName, operator: "EQ", value });
const byEmail = (value: string) => ({ filterGroups: [{ filters: [equal("email", value)] }] });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-hubspot-"));
  sandbox = await startSandbox({ folder });
});
beforeEach(() => sandbox.setFaults([]));
afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

describe("HubSpot's stand-in: contacts", () => {
  it("creates a contact and gives it back by id and by e-mail", async () => {
    const created = await create({ email: "Ann@Acme.test", firstname: "Ann", company: "Acme" });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ archived: false, properties: { email: "ann@acme.test", company: "Acme" } });
    expect(created.body.properties.hs_object_id).toBe(created.body.id);
    expect(Date.parse(created.body.createdAt)).not.toBeNaN();
    const read = await call("GET", `${contacts}/${created.body.id}`);
    expect(Object.keys(read.body.properties).toSorted()).toEqual([
      "createdate",
      "email",
      "firstname",
      "hs_object_id",
      "lastmodifieddate",
      "lastname",
    ]);
    const found = await call("GET", `${contacts}/ann%40acme.test?idProperty=email&properties=company,phone`);
    expect(found.body.properties).toMatchObject({ company: "Acme", phone: null });
  });

  it("answers a second contact of an address with 409 and the id of the first", async () => {
    const first = await create({ email: "once@acme.test" });
    const second = await create({ email: "ONCE@acme.test" });
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({
      status: "error",
      category: "CONFLICT",
      message: `Contact already exists. Existing ID: ${first.body.id}`,
    });
    expect(second.body.correlationId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("keeps one contact when ten calls create the same address at once", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => create({ email: "race@acme.test" })));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(9);
    const all = await sandbox.hubspotContacts();
    expect(all.filter((contact) => contact.properties["email"] === "race@acme.test")).toHaveLength(1);
  });

  it("updates by id and by e-mail, and refuses an address that another contact has", async () => {
    const { body } = await create({ email: "before@acme.test" });
    const updated = await call("PATCH", `${contacts}/${body.id}`, {
      properties: { email: "after@acme.test", phone: "1" },
    });
    expect(updated).toMatchObject({
      status: 200,
      body: { id: body.id, properties: { email: "after@acme.test", phone: "1" } },
    });
    expect((await call("GET", `${contacts}/before@acme.test?idProperty=email`)).status).toBe(404);
    const again = await call("PATCH", `${contacts}/after@acme.test?idProperty=email`, { properties: { phone: "2" } });
    expect(again.body.properties.phone).toBe("2");
    await create({ email: "taken@acme.test" });
    expect((await call("PATCH", `${contacts}/${body.id}`, { properties: { email: "taken@acme.test" } })).status).toBe(
      409,
    );
    expect((await call("PATCH", `${contacts}/${body.id}`, { properties: {} })).body.message).toMatch(
      /^No properties found/,
    );
  });

  it("answers an unknown contact with 404", async () => {
    for (const [method, body] of [
      ["GET", undefined],
      ["PATCH", { properties: { phone: "1" } }],
    ] as const) {
      const answer = await call(method, `${contacts}/999999`, body);
      expect(answer).toMatchObject({ status: 404, body: { status: "error", category: "OBJECT_NOT_FOUND" } });
    }
  });

  it.each([
    ["an unknown property", { lead_score_nobody_made: "1" }, "PROPERTY_DOESNT_EXIST"],
    ["an invalid address", { email: "nobody" }, "INVALID_EMAIL"],
    ["a property that cannot be written", { hs_object_id: "1" }, "READ_ONLY_VALUE"],
    ["a property of the name __proto__", JSON.parse('{"__proto__":"1"}') as object, "PROPERTY_DOESNT_EXIST"],
  ])("refuses %s with 400", async (_what, properties, error) => {
    const answer = await create(properties);
    expect(answer).toMatchObject({ status: 400, body: { category: "VALIDATION_ERROR" } });
    const [, listed] = /^Property values were not valid: (.*)$/.exec(answer.body.message)!;
    expect(JSON.parse(listed!)).toMatchObject([{ isValid: false, error, name: Object.keys(properties)[0] }]);
  });

  it("refuses a body without properties and one that is no JSON", async () => {
    expect(await call("POST", contacts, {})).toMatchObject({ status: 400, body: { category: "VALIDATION_ERROR" } });
    expect(await call("POST", contacts, "{")).toMatchObject({ status: 400, body: { category: "VALIDATION_ERROR" } });
  });

  it("pages through all contacts by the link it gives", async () => {
    for (const name of ["p1", "p2", "p3"]) await create({ email: `${name}@acme.test` });
    const ids: string[] = [];
    let path = `${contacts}?limit=2&properties=email`;
    while (path !== "") {
      const { body } = await call("GET", path);
      expect(body.results.length).toBeLessThanOrEqual(2);
      ids.push(...body.results.map((contact: { id: string }) => contact.id));
      path = body.paging?.next.link.replace(sandbox.hubspotUrl, "") ?? "";
    }
    expect(ids).toEqual((await sandbox.hubspotContacts()).map((contact) => contact.id));
  });
});

describe("HubSpot's stand-in: search", () => {
  it("finds by e-mail and gives the properties asked for", async () => {
    await create({ email: "find@acme.test", company: "Findable" });
    const { status, body, headers } = await call("POST", `${contacts}/search`, {
      ...byEmail("FIND@acme.test"),
      properties: ["company"],
    });
    expect({ status, total: body.total }).toEqual({ status: 200, total: 1 });
    expect(body.results[0].properties).toMatchObject({ company: "Findable" });
    expect(headers.get("x-hubspot-ratelimit-remaining")).toBeNull();
    expect((await call("POST", `${contacts}/search`, byEmail("none@acme.test"))).body).toEqual({
      total: 0,
      results: [],
    });
  });

  it("pages with after and joins groups by OR, filters by AND", async () => {
    for (const [name, company] of [
      ["s1", "North"],
      ["s2", "North"],
      ["s3", "South"],
    ] as const) {
      await create({ email: `${name}@search.test`, company });
    }
    const either = {
      filterGroups: [{ filters: [equal("company", "north")] }, { filters: [equal("company", "South")] }],
      limit: 2,
    };
    const first = await call("POST", `${contacts}/search`, either);
    expect(first.body).toMatchObject({ total: 3, paging: { next: { after: "2" } } });
    const second = await call("POST", `${contacts}/search`, { ...either, after: first.body.paging.next.after });
    expect(second.body.results).toHaveLength(1);
    expect(second.body).not.toHaveProperty("paging");
    const both = { filterGroups: [{ filters: [equal("company", "North"), equal("email", "s3@search.test")] }] };
    expect((await call("POST", `${contacts}/search`, both)).body.total).toBe(0);
    expect((await call("POST", `${contacts}/search`, { query: "s2" })).body.total).toBe(1);
  });

  it("refuses an operator that does not exist", async () => {
    const filterGroups = [{ filters: [{ propertyName: "email", operator: "toString", value: "x" }] }];
    expect((await call("POST", `${contacts}/search`, { filterGroups })).status).toBe(400);
  });

  it("can lag behind what was just written", async () => {
    await create({ email: "fresh@acme.test" });
    await sandbox.setFaults([{ system: "hubspot", kind: "search_stale", match: { path: "/search" } }]);
    expect((await call("POST", `${contacts}/search`, byEmail("fresh@acme.test"))).body.total).toBe(0);
  });
});

describe("HubSpot's stand-in: properties", () => {
  const property = {
    name: "ai_score",
    label: "AI score",
    type: "number",
    fieldType: "number",
    groupName: "contactinformation",
  };

  it("creates a property once; contacts can then have it, within its type", async () => {
    expect((await call("GET", "/crm/v3/properties/contacts/ai_score")).status).toBe(404);
    expect(await call("POST", "/crm/v3/properties/contacts", property)).toMatchObject({ status: 201, body: property });
    expect((await call("POST", "/crm/v3/properties/contacts", property)).status).toBe(409);
    expect((await call("GET", "/crm/v3/properties/contacts/ai_score")).body).toMatchObject(property);
    const all = await call("GET", "/crm/v3/properties/contacts");
    expect(all.body.results.map((item: { name: string }) => item.name)).toEqual(
      expect.arrayContaining(["email", "ai_score"]),
    );
    expect((await create({ email: "scored@acme.test", ai_score: 91 })).body.properties.ai_score).toBe("91");
    expect((await create({ email: "unscored@acme.test", ai_score: "high" })).body.message).toContain("INVALID_INTEGER");
  });

  it("takes several values of a checkbox property, and only its options", async () => {
    const options = [
      { label: "Sales", value: "sales" },
      { label: "High", value: "high" },
    ];
    await call("POST", "/crm/v3/properties/contacts", {
      ...property,
      name: "ai_tags",
      type: "enumeration",
      fieldType: "checkbox",
      options,
    });
    expect((await create({ email: "tags@acme.test", ai_tags: "sales;high" })).status).toBe(201);
    expect((await create({ email: "tags2@acme.test", ai_tags: "sales;low" })).body.message).toContain("INVALID_OPTION");
  });
});

describe("HubSpot's stand-in: limits and access", () => {
  it("refuses a wrong token with 401", async () => {
    const answer = await call("GET", contacts, undefined, { authorization: "Bearer pat-wrong" });
    expect(answer).toMatchObject({ status: 401, body: { category: "INVALID_AUTHENTICATION" } });
  });

  it.each([
    ["ten_secondly_rolling", "TEN_SECONDLY_ROLLING", { remaining: "0", daily: "649999" }],
    ["daily", "DAILY", { remaining: "190", daily: "0" }],
  ] as const)("tells the %s limit in body and headers", async (kind, policyName, { remaining, daily }) => {
    await sandbox.setFaults([{ system: "hubspot", kind, times: 1 }]);
    const answer = await create({ email: "limited@acme.test" });
    expect(answer).toMatchObject({ status: 429, body: { status: "error", errorType: "RATE_LIMIT", policyName } });
    expect(answer.headers.get("x-hubspot-ratelimit-remaining")).toBe(remaining);
    expect(answer.headers.get("x-hubspot-ratelimit-daily-remaining")).toBe(daily);
    expect(answer.headers.get("retry-after")).toBeNull();
  });

  it("records the idempotency key of a call but does not obey it, as HubSpot does", async () => {
    const headers = { "idempotency-key": "run-9/1" };
    const properties = { firstname: "No address" };
    const first = await call("POST", contacts, { properties }, headers);
    const second = await call("POST", contacts, { properties }, headers);
    expect(second.body.id).not.toBe(first.body.id);
    const recorded = (await sandbox.calls({ system: "hubspot" })).slice(-2);
    expect(recorded.map((item) => item.idempotencyKey)).toEqual(["run-9/1", "run-9/1"]);
  });
});
