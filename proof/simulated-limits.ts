import { mkdtemp, chmod, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { Client } from "pg";
import { installSessionClock, limitSchedules, playLimitSchedule } from "../src/store/fixtures/limit-world.ts";
import { openStore } from "../src/store/index.ts";
import { startPostgres } from "./database.ts";

/** Plays schedules of calls on limits and budgets in a Postgres of its own, under simulated clocks. Gives what does not hold. */
export async function playLimitSchedules(seed: number, count: number): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-proof-"));
  // As root, Postgres runs as another user, who must be able to enter.
  await chmod(folder, 0o711);
  try {
    const postgres = await startPostgres(folder);
    try {
      return await play(postgres.url, seed, count);
    } finally {
      await postgres.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function play(url: string, seed: number, count: number): Promise<string[]> {
  const store = await openStore({ url, key: randomBytes(32), onError: () => {} });
  await store.close();
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await installSessionClock(client);
    const details = await fc.check(
      fc.asyncProperty(limitSchedules, (schedule) => playLimitSchedule(client, schedule)),
      { seed, numRuns: count },
    );
    if (!details.failed) return [];
    return [`I6: ${String(details.errorInstance)}; schedule ${JSON.stringify(details.counterexample?.[0])}`];
  } finally {
    await client.end();
  }
}
