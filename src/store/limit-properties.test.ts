import * as fc from "fast-check";
import { Client } from "pg";
import { afterAll, beforeAll, describe, it } from "vitest";
import { installSessionClock, limitSchedules, playLimitSchedule } from "./fixtures/limit-world.ts";
import { openTestStore, type TestStore } from "./fixtures/test-store.ts";

let test: TestStore;
let client: Client;

beforeAll(async () => {
  test = await openTestStore();
  client = new Client({ connectionString: test.url });
  await client.connect();
  await installSessionClock(client);
});

afterAll(async () => {
  await client.end();
  await test.close();
});

describe("a bucket and a budget, whatever comes", () => {
  it("[R9] hold every window and the budget, refuse nobody without need, and let all that wait through in the end", async () => {
    await fc.assert(
      fc.asyncProperty(limitSchedules, (schedule) => playLimitSchedule(client, schedule)),
      { numRuns: 80 },
    );
  }, 60_000);
});
