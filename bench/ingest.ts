import { setTimeout } from "node:timers/promises";
import { ensureBuilt } from "./build.ts";
import { countRuns, joinDatabase } from "./database.ts";
import { generateLoad } from "./generate-load.ts";
import type { Benchmark, Figures } from "./report.ts";
import { hookSecret, makeDataFolder, startService } from "./service.ts";

const connections = 50;
const calm = { count: 24_000, limitMs: 4000 };
const flood = { count: 24_000, limitMs: 3000 };
const drainMs = 4000;

/** How many webhooks are committed and acknowledged in a second. */
export const ingest: Benchmark = {
  name: "ingest",
  asks: "how many deliveries are acknowledged in a second, alone and while flows run?",
  defaultRounds: 3,
  async play(tell) {
    await ensureBuilt();
    const folder = await makeDataFolder();
    try {
      return { ...(await playCalm(folder.path, tell)), ...(await playFlood(folder.path, tell)) };
    } finally {
      await folder.remove();
    }
  },
};

async function playCalm(folder: string, tell: (what: string) => void): Promise<Figures> {
  const service = await startService(folder, 0);
  try {
    const target = { url: `${service.publicUrl}/hooks/steps`, secret: hookSecret, connections };
    await generateLoad({ ...target, count: 2000, limitMs: 2000, prefix: "warm" });
    const { acknowledged, refused, elapsedMs, p50Ms, p99Ms } = await generateLoad({
      ...target,
      ...calm,
      prefix: "calm",
    });
    if (refused > 0) throw new Error(`${refused} deliveries were refused`);
    tell(`${acknowledged} acknowledged in ${Math.round(elapsedMs)} ms`);
    return { acksPerSecond: (acknowledged / elapsedMs) * 1000, p50Ms, p99Ms };
  } finally {
    await service.stop();
  }
}

/** The runs of the calm part are queued already, so that flows run from the first moment on. */
async function playFlood(folder: string, tell: (what: string) => void): Promise<Figures> {
  const service = await startService(folder);
  const database = await joinDatabase(folder);
  try {
    const before = await countRuns(database);
    const load = await generateLoad({
      url: `${service.publicUrl}/hooks/steps`,
      secret: hookSecret,
      connections,
      ...flood,
      prefix: "flood",
    });
    const after = await countRuns(database);
    await setTimeout(drainMs);
    const drained = await countRuns(database);
    tell(`${load.acknowledged} acknowledged in ${Math.round(load.elapsedMs)} ms beside running flows`);
    return {
      floodAcksPerSecond: (load.acknowledged / load.elapsedMs) * 1000,
      floodP99Ms: load.p99Ms,
      floodFlowsPerSecond: ((after.succeeded - before.succeeded) / load.elapsedMs) * 1000,
      drainFlowsPerSecond: ((drained.succeeded - after.succeeded) / drainMs) * 1000,
      lost: load.acknowledged - (after.stored - before.stored),
    };
  } finally {
    await database.close();
    await service.stop();
  }
}
