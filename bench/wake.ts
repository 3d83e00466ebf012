import { chooseRuns, parkRuns, wakePercentile, wakeRuns } from "./approvals.ts";
import { ensureBuilt } from "./build.ts";
import { withDatabase } from "./database.ts";
import type { Benchmark } from "./report.ts";
import { withDataFolder, withService } from "./service.ts";

const warmUps = 100;
const wakes = 300;
const crowd = 20;

/** How soon a waiting run goes on when its signal comes, with little else to do. */
export const wake: Benchmark = {
  name: "wake",
  asks: "how soon does a waiting run go on when its signal comes?",
  load: `${wakes} signals one after the other, then ${wakes} more, ${crowd} at once.`,
  defaultRounds: 3,
  async play({ tell }) {
    await ensureBuilt();
    return withDataFolder((folder) =>
      withService(folder, (service) =>
        withDatabase(folder, async (database) => {
          await parkRuns(service, database, { count: warmUps + 2 * wakes, prefix: "wake" });
          const all = await chooseRuns(database, "wake", warmUps + 2 * wakes);
          await wakeRuns(service, database, all.splice(0, warmUps), crowd);
          const alone = await wakeRuns(service, database, all.splice(0, wakes));
          const crowded = await wakeRuns(service, database, all, crowd);
          const p50Ms = wakePercentile(alone, "wentOnMs", 0.5);
          tell(`went on after ${p50Ms.toFixed(1)} ms`);
          return {
            p50Ms,
            p99Ms: wakePercentile(alone, "wentOnMs", 0.99),
            insideP50Ms: wakePercentile(alone, "insideMs", 0.5),
            insideP99Ms: wakePercentile(alone, "insideMs", 0.99),
            answeredP50Ms: wakePercentile(alone, "answeredMs", 0.5),
            crowdP50Ms: wakePercentile(crowded, "wentOnMs", 0.5),
            crowdP99Ms: wakePercentile(crowded, "wentOnMs", 0.99),
          };
        }),
      ),
    );
  },
};
