import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApp } from "../../src/testing/index.ts";
import config from "../../examples/sluice.config.ts";
import { testDatabase, type TestDatabase } from "../support/database.ts";
import { findValues, readAllTables } from "../support/stored-text.ts";
import { hotLead } from "./application.ts";

let database: TestDatabase;
let folder: string;
let client: Client;

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "sluice-sealed-"));
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

const start = () => startTestApp({ config, folder, environment: { SLUICE_DATABASE_URL: database.url } });

/** What a lead gives away, with text that JSON escapes. */
const lead = {
  name: 'Dana "Dee" Whitfield-Zebulon',
  email: "dana.whitfield.7f3a@northwind-logistics.example",
  company: "Northwind Logistics Zebulon",
  message: `${hotLead.message} Call +44 20 7946 0958, IBAN GB82WEST12345698765432, born 1984-03-17.\nInvoice to 221B Baker Street, NW1 6XE.`,
};
const planted = [
  ...Object.values(lead),
  "Whitfield-Zebulon",
  "dana.whitfield.7f3a",
  "Logistics Zebulon",
  "7946 0958",
  "GB82WEST12345698765432",
  "1984-03-17",
  "221B Baker Street",
];

describe("the database of an application", () => {
  it("[R8] holds nothing of a lead in any form, and gives all of it back to the application after a restart", async () => {
    const first = await start();
    const run = await first.run("lead-routing", lead);
    expect(run).toMatchObject({ status: "succeeded" });
    const effects = run.effects.map(({ request }) => JSON.stringify(request)).join();
    expect(effects).toContain(lead.email);
    await first.close();

    const tables = await readAllTables(client);
    expect(tables.get("sluice.effects")).toContain("hubspot.createLead");
    expect(findValues(tables, planted)).toEqual([]);

    const second = await start();
    const { events, effects: receipts, aiCalls } = second.app.workspace;
    expect(await events.ofRun(run.id)).toMatchObject({ payload: lead });
    expect(await second.ended(run.id)).toMatchObject({ output: run.output });
    expect(await receipts.ofRun(run.id)).toEqual(run.effects);
    expect(await aiCalls.ofRun(run.id)).toEqual(run.aiCalls);
    await second.close();
  });

  it("is refused to an application of another folder, which has another key", async () => {
    const stranger = startTestApp({ config, environment: { SLUICE_DATABASE_URL: database.url } });
    await expect(stranger).rejects.toMatchObject({ code: "KEY_MISMATCH" });
  });
});
