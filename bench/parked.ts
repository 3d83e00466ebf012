import { setTimeout } from "node:timers/promises";
import { chooseRuns, parkRuns, wakePercentile, wakeRuns } from "./approvals.ts";
import { ensureBuilt } from "./build.ts";
import { type BenchDatabase, withDatabase } from "./database.ts";
import { treeCpuMs, treeMb } from "./process-tree.ts";
import type { Benchmark, Figures } from "./report.ts";
import { type Service, withDataFolder, withService } from "./service.ts";

const settleMs = 5000;
const idleMs = 10_000;
const warmUps = 2000;
const wakes = 300;
const wakesAfterRestart = 20;

/** What runs cost that wait for months, and how soon they go on. */
export const parked: Benchmark = {
  name: "parked",
  asks: "what do waiting runs take of memory and processor, how soon is a process ready with them, how soon do they go on?",
  load: "flow approval: a step, a wait for a signal, a step; --count of them wait. Wakes come one after the other.",
  defaultRounds: 1,
  defaultCount: 10_000,
  async play({ tell, count = 10_000 }) {
    await ensureBuilt();
    return withDataFolder(async (folder) => {
      const emptyMb = await withService(folder, measureEmpty);
      const figures = await withService(folder, (service) =>
        withDatabase(folder, (database) => playParked(service, database, { tell, count })),
      );
      const restarted = await withService(folder, (service) =>
        withDatabase(folder, (database) => playRestarted(service, database)),
      );
      tell(`ready again after ${Math.round(restarted.restartReadyMs)} ms`);
      const { restartedMb, ...rest } = restarted;
      return { ...figures, ...rest, restartMemoryGrowthMb: restartedMb - emptyMb };
    });
  },
};

/** A process that has just started, before there is any run. */
async function measureEmpty(service: Service): Promise<number> {
  await setTimeout(settleMs);
  return (await treeMb(service.pid)).rootMb;
}

async function playParked(
  service: Service,
  database: BenchDatabase,
  { tell, count }: { readonly tell: (what: string) => void; readonly count: number },
): Promise<Figures> {
  // The heap of a process that has worked is larger than that of a new one, whatever waits.
  await parkRuns(service, database, { count: warmUps, prefix: "warm" });
  await wakeRuns(service, database, await chooseRuns(database, "warm", wakes), 20);
  await setTimeout(settleMs);
  const before = await treeMb(service.pid);
  const { runsPerSecond } = await parkRuns(service, database, { count, prefix: "parked" });
  tell(`${count} runs parked, ${Math.round(runsPerSecond)} a second`);
  await setTimeout(settleMs);
  const idleCorePercent = await measureIdle(service);
  const after = await treeMb(service.pid);
  const memoryGrowthMb = after.rootMb - before.rootMb;
  tell(`memory of Node ${Math.round(before.rootMb)} MB before, ${Math.round(after.rootMb)} MB after`);
  const woken = await wakeRuns(service, database, await chooseRuns(database, "parked", Math.min(wakes, count / 2)));
  const [wakeP50Ms, wakeP99Ms] = [wakePercentile(woken, "wentOnMs", 0.5), wakePercentile(woken, "wentOnMs", 0.99)];
  tell(`went on after ${wakeP50Ms.toFixed(1)} ms, p99 ${wakeP99Ms.toFixed(1)} ms`);
  return {
    parkRunsPerSecond: runsPerSecond,
    memoryGrowthMb,
    postgresGrowthMb: after.childrenMb - before.childrenMb,
    idleCorePercent,
    wakeP50Ms,
    wakeP99Ms,
    wakeInsideP50Ms: wakePercentile(woken, "insideMs", 0.5),
    wakeAnsweredP50Ms: wakePercentile(woken, "answeredMs", 0.5),
  };
}

/** Share of one core that Node and Postgres take together while nothing happens. */
async function measureIdle(service: Service): Promise<number> {
  const [before, began] = [await treeCpuMs(service.pid), performance.now()];
  await setTimeout(idleMs);
  const after = await treeCpuMs(service.pid);
  const spentMs = after.rootMs - before.rootMs + after.childrenMs - before.childrenMs;
  return (spentMs / (performance.now() - began)) * 100;
}

/** The same data in a new process; runs of the old one go on in it. */
async function playRestarted(
  service: Service,
  database: BenchDatabase,
): Promise<{ restartReadyMs: number; restartedMb: number; wakeAfterRestartP50Ms: number }> {
  await setTimeout(settleMs);
  const restartedMb = (await treeMb(service.pid)).rootMb;
  const woken = await wakeRuns(service, database, await chooseRuns(database, "parked", wakesAfterRestart));
  return {
    restartReadyMs: service.readyMs,
    restartedMb,
    wakeAfterRestartP50Ms: wakePercentile(woken, "wentOnMs", 0.5),
  };
}
