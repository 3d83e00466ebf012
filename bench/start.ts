import { setTimeout } from "node:timers/promises";
import { ensureBuilt } from "./build.ts";
import { signLead } from "./lead.ts";
import { treeMb } from "./memory.ts";
import type { Benchmark } from "./report.ts";
import { hookSecret, makeDataFolder, startService } from "./service.ts";

const idleMs = 10_000;

/** How soon the product is ready, and what it takes when nothing happens. */
export const start: Benchmark = {
  name: "start",
  asks: "how soon is it ready, at the first start and later, and how much memory does it take when idle?",
  defaultRounds: 3,
  async play(tell) {
    await ensureBuilt();
    const folder = await makeDataFolder();
    try {
      const first = await startService(folder.path);
      tell(`first start, with initdb: ${Math.round(first.readyMs)} ms`);
      await first.stop();
      const warm = await startService(folder.path);
      tell(`warm start: ${Math.round(warm.readyMs)} ms`);
      try {
        await serveOneLead(warm.publicUrl);
        await setTimeout(idleMs);
        const { rootMb, childrenMb } = await treeMb(warm.pid);
        tell(`idle: Node ${Math.round(rootMb)} MB, Postgres ${Math.round(childrenMb)} MB`);
        return {
          firstReadyMs: first.readyMs,
          warmReadyMs: warm.readyMs,
          idleMb: rootMb + childrenMb,
          idleNodeMb: rootMb,
          idlePostgresMb: childrenMb,
        };
      } finally {
        await warm.stop();
      }
    } finally {
      await folder.remove();
    }
  },
};

/** So that nothing that a run needs is still to be loaded. */
async function serveOneLead(publicUrl: string): Promise<void> {
  const delivery = signLead(hookSecret, "msg_1");
  const response = await fetch(`${publicUrl}/hooks/leads?wait=20`, { method: "POST", ...delivery });
  const answer = (await response.json()) as { status: string };
  if (answer.status !== "succeeded") throw new Error(`the lead was answered ${response.status} ${answer.status}`);
}
