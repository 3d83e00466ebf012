import type { BareResult, BareSettings } from "./bare-dbos.ts";
import { ensureBuilt } from "./build.ts";
import { type BenchDatabase, countRuns, withDatabase } from "./database.ts";
import { generateLoad, runChild } from "./generate-load.ts";
import { signLead } from "./lead.ts";
import type { Benchmark } from "./report.ts";
import { hookSecret, type Service, withDataFolder, withService } from "./service.ts";

const count = 1500;
const alone = 100;
/** In flight at once, in both. */
const concurrency = 100;

/** How many flows of three steps are done in a second, our own rows included, beside stock DBOS on the same Postgres. */
export const flows: Benchmark = {
  name: "flows",
  asks: "how many flows of three steps are done in a second, and how does that compare with stock DBOS?",
  load: `${count} queued runs, ${concurrency} at once; then ${alone} one after the other; then ${count} in stock DBOS, ${concurrency} at once.`,
  defaultRounds: 3,
  async play({ tell }) {
    await ensureBuilt();
    return withDataFolder(async (folder) => {
      await withService(folder, fillQueue, 0);
      return withService(folder, (service) =>
        withDatabase(folder, async (database) => {
          const flowsPerSecond = await drain(database);
          const p50Ms = await runAlone(service.publicUrl, database);
          const bare = await runBare(database);
          tell(`${Math.round(flowsPerSecond)} flows/s; stock DBOS ${Math.round(bare)} flows/s; alone ${p50Ms} ms`);
          return { flowsPerSecond, p50Ms, bareDbosFlowsPerSecond: bare, ratioToBareDbos: flowsPerSecond / bare };
        }),
      );
    });
  },
};

/** Accepts the events without beginning their runs, so that sending them costs nothing while the clock runs. */
async function fillQueue({ publicUrl }: Service): Promise<void> {
  const url = `${publicUrl}/hooks/steps`;
  await generateLoad({ url, secret: hookSecret, connections: 20, count, limitMs: 20_000, prefix: "queued" });
}

async function drain(database: BenchDatabase): Promise<number> {
  const deadline = Date.now() + 60_000;
  while ((await countRuns(database)).succeeded < count) {
    if (Date.now() > deadline) throw new Error(`${count} flows were not done within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { ms } = await database.query<{ ms: number }>(
    `select extract(epoch from max(finished_at) - min(started_at))::float8 * 1000 as ms from sluice.runs`,
  );
  return (count / ms) * 1000;
}

/** One after the other: from the acceptance of an event to the end of its run. */
async function runAlone(publicUrl: string, database: BenchDatabase): Promise<number> {
  for (let at = 0; at < alone; at += 1) {
    const delivery = signLead(hookSecret, `alone${at}`);
    await (await fetch(`${publicUrl}/hooks/steps?wait=10`, { method: "POST", ...delivery })).arrayBuffer();
  }
  const { ms } = await database.query<{ ms: number }>(
    `select percentile_cont(0.5) within group (order by extract(epoch from finished_at - queued_at))::float8 * 1000 as ms
     from sluice.runs join sluice.events on events.id = runs.event_id where delivery_id like 'alone%'`,
  );
  return ms;
}

async function runBare(database: BenchDatabase): Promise<number> {
  await database.query("create database bare");
  const url = new URL(database.url);
  url.pathname = "/bare";
  const settings: BareSettings = { databaseUrl: url.href, count, concurrency };
  return (await runChild<BareResult>("bare-dbos.ts", settings)).flowsPerSecond;
}
