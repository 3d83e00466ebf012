import { setTimeout } from "node:timers/promises";
import { ensureBuilt } from "./build.ts";
import { signLead } from "./lead.ts";
import { treeMb } from "./process-tree.ts";
import type { Benchmark } from "./report.ts";
import { hookSecret, withDataFolder, withService } from "./service.ts";

const idleMs = 10_000;

/** How soon the product is ready, and what it takes when nothing happens. */
export const start: Benchmark = {
  name: "start",
  asks: "how soon is it ready, at the first start and later, and how much memory does it take when idle?",
  load: `none; memory ${idleMs / 1000} s after one lead was served.`,
  defaultRounds: 3,
  async play({ tell }) {
    await ensureBuilt();
    return withDataFolder(async (folder) => {
      const firstReadyMs = await withService(folder, async ({ readyMs }) => readyMs);
      tell(`first start, with initdb: ${Math.round(firstReadyMs)} ms`);
      return withService(folder, async ({ pid, publicUrl, readyMs }) => {
        tell(`warm start: ${Math.round(readyMs)} ms`);
        await serveOneLead(publicUrl);
        await setTimeout(idleMs);
        const { rootMb, childrenMb } = await treeMb(pid);
        tell(`idle: Node ${Math.round(rootMb)} MB, Postgres ${Math.round(childrenMb)} MB`);
        return {
          firstReadyMs,
          warmReadyMs: readyMs,
          idleMb: rootMb + childrenMb,
          idleNodeMb: rootMb,
          idlePostgresMb: childrenMb,
        };
      });
    });
  },
};

/** So that nothing that a run needs is still to be loaded. */
async function serveOneLead(publicUrl: string): Promise<void> {
  const delivery = signLead(hookSecret, "msg_1");
  const response = await fetch(`${publicUrl}/hooks/leads?wait=20`, { method: "POST", ...delivery });
  const answer = (await response.json()) as { status: string };
  if (answer.status !== "succeeded") throw new Error(`the lead was answered ${response.status} ${answer.status}`);
}
