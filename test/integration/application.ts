import { Client } from "pg";
import { signSample } from "../../src/triggers/index.ts";
import { startTestApp, type TestApp, type TestAppOptions } from "../../src/testing/index.ts";
import { leadsForm } from "../../examples/connections.ts";
import { samples } from "../../examples/lead-routing/samples.ts";
import config from "../../examples/sluice.config.ts";
import { testDatabase } from "../support/database.ts";

/** A lead that the example scores above 70. */
export const hotLead = samples["urgent and large"];

/** A signed delivery, as it goes over the wire. */
export interface Delivery {
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** The lead-routing example with its listeners open, on a database of its own. */
export interface TestApplication extends TestApp {
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly hookUrl: string;
  /** Runs SQL beside the application. */
  query<Row>(text: string): Promise<Row[]>;
  sign(body: string, deliveryId?: string): Delivery;
}

/** Starts it. */
export async function startApplication(options: Partial<TestAppOptions> = {}): Promise<TestApplication> {
  const database = await testDatabase();
  const environment = { ...options.environment, SLUICE_DATABASE_URL: database.url };
  const test = await startTestApp({ config, ...options, environment }).catch(async (error: unknown) => {
    await database.drop();
    throw error;
  });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const secret = test.app.revealSecret(leadsForm.secrets[0]!);
  return {
    ...test,
    publicUrl: test.app.publicUrl!,
    adminUrl: test.app.adminUrl!,
    hookUrl: `${test.app.publicUrl}/hooks/leads`,
    query: async <Row>(text: string) => (await client.query(text)).rows as Row[],
    sign: (body, deliveryId) => {
      const headers = signSample(leadsForm, secret, {
        body,
        sentAt: new Date(),
        ...(deliveryId !== undefined && { deliveryId }),
      });
      return { body, headers };
    },
    async close() {
      await test.close();
      await client.end();
      await database.drop();
    },
  };
}

/** Sends a request with a body. */
export function post(url: string, { body, headers }: Delivery): Promise<Response> {
  return fetch(url, { method: "POST", body, headers });
}
