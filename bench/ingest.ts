import { setTimeout } from "node:timers/promises";
import { ensureBuilt } from "./build.ts";
import { type BenchDatabase, countRuns, withDatabase } from "./database.ts";
import { generateLoad } from "./generate-load.ts";
import type { LoadResult } from "./load.ts";
import type { Benchmark, Figures } from "./report.ts";
import { hookSecret, type Service, withDataFolder, withService } from "./service.ts";

const connections = 50;
const calm = { count: 30_000, limitMs: 4000 };
const flood = { count: 24_000, limitMs: 3000 };
/** A new process compiles its code in the first moments; what it does then is not counted. */
const warmMs = 3000;
const quietMs = 3000;
const drainMs = 4000;

/** How many webhooks are committed and acknowledged in a second. */
export const ingest: Benchmark = {
  name: "ingest",
  asks: "how many deliveries are acknowledged in a second, alone and while flows run?",
  load:
    `${connections} connections, each sending its next signed delivery when the one before is answered. Calm: for ` +
    `${calm.limitMs / 1000} s, and no run begins. Then the same data in a process that runs them (three steps, 100 at ` +
    `once): ${quietMs / 1000} s without deliveries, ${flood.limitMs / 1000} s of flood, ${drainMs / 1000} s without.`,
  defaultRounds: 3,
  async play({ tell }) {
    await ensureBuilt();
    return withDataFolder(async (folder) => {
      const calmFigures = await withService(folder, (service) => playCalm(service, tell), 0);
      const floodFigures = await withService(folder, (service) =>
        withDatabase(folder, (database) => playFlood(service, database, tell)),
      );
      return { ...calmFigures, ...floodFigures };
    });
  },
};

function send(service: Service, load: { count: number; limitMs: number; prefix: string }): Promise<LoadResult> {
  return generateLoad({ url: `${service.publicUrl}/hooks/steps`, secret: hookSecret, connections, ...load });
}

async function playCalm(service: Service, tell: (what: string) => void): Promise<Figures> {
  await send(service, { count: 2000, limitMs: 2000, prefix: "warm" });
  const { acknowledged, refused, elapsedMs, p50Ms, p99Ms } = await send(service, { ...calm, prefix: "calm" });
  if (refused > 0) throw new Error(`${refused} deliveries were refused`);
  tell(`${acknowledged} acknowledged in ${Math.round(elapsedMs)} ms`);
  return { acksPerSecond: (acknowledged / elapsedMs) * 1000, p50Ms, p99Ms };
}

/** The runs of the calm part are queued already, so that flows run from the first moment on. */
async function playFlood(service: Service, database: BenchDatabase, tell: (what: string) => void): Promise<Figures> {
  await setTimeout(warmMs);
  const quietFlowsPerSecond = await flowsPerSecond(database, await during(() => setTimeout(quietMs)));
  const { stored } = await countRuns(database);
  const load = await send(service, { ...flood, prefix: "flood" });
  const drain = await during(() => setTimeout(drainMs));
  const after = await countRuns(database);
  if (after.queued === 0) throw new Error("no run was queued any more, so nothing says how fast they are taken");
  tell(
    `${load.acknowledged} acknowledged, ${load.refused} refused in ${Math.round(load.elapsedMs)} ms beside running flows`,
  );
  const drainFlowsPerSecond = await flowsPerSecond(database, drain);
  return {
    floodAcksPerSecond: (load.acknowledged / load.elapsedMs) * 1000,
    floodP50Ms: load.p50Ms,
    floodP99Ms: load.p99Ms,
    floodRefused: load.refused,
    floodFlowsPerSecond: await flowsPerSecond(database, { from: load.beganAt, to: load.beganAt + load.elapsedMs }),
    quietFlowsPerSecond,
    drainFlowsPerSecond,
    drainShareOfQuiet: drainFlowsPerSecond / quietFlowsPerSecond,
    lost: load.acknowledged - (after.stored - stored),
  };
}

/** A time by this machine's clock, in milliseconds since 1970. */
interface Period {
  readonly from: number;
  readonly to: number;
}

async function during(wait: () => Promise<unknown>): Promise<Period> {
  const from = Date.now();
  await wait();
  return { from, to: Date.now() };
}

async function flowsPerSecond(database: BenchDatabase, { from, to }: Period): Promise<number> {
  const { done } = await database.query<{ done: number }>(
    `select count(*)::integer as done from sluice.runs
     where status = 'succeeded' and finished_at >= to_timestamp($1::float8 / 1000) and finished_at < to_timestamp($2::float8 / 1000)`,
    [from, to],
  );
  return (done / (to - from)) * 1000;
}
