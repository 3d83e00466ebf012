import type { Log } from "../core/index.ts";
import type { Store } from "../store/index.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** How often dead processes are looked for. */
const pollMs = 1000;

/** What {@link startAdoption} takes. */
export interface AdoptionOptions {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly executor: string;
  readonly log: Log;
}

/** Takes over the runs of processes that died. Resolves after the first look. */
export async function startAdoption(options: AdoptionOptions): Promise<{ close(): Promise<void> }> {
  let looking: Promise<void> = look(options);
  await looking;
  const timer = setInterval(() => {
    looking = looking.then(() => look(options));
  }, pollMs).unref();
  return {
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** One process at a time adopts, so that each dead process' runs go to one heir. */
async function look({ store, dispatcher, executor, log }: AdoptionOptions): Promise<void> {
  try {
    if ((await listDeadOthers(store, executor)).length === 0) return;
    await store.processes.exclusively("adoption", async () => {
      for (const gone of await listDeadOthers(store, executor)) {
        const runs = await store.dispatch.adopt(gone, executor);
        dispatcher.adopt(runs);
        await store.processes.end(gone);
        if (runs.length > 0) log.warn("runs.adopted", { from: gone, count: runs.length });
      }
    });
  } catch (error) {
    // The next look tries again: a run is not given up before the dead process is marked as ended.
    log.warn("adoption.failed", { error: error instanceof Error ? error.name : "unknown" });
  }
}

/** This process seems dead to itself when the database was away and its lock is not yet taken again: its runs go on here. */
async function listDeadOthers(store: Store, executor: string): Promise<string[]> {
  const dead = await store.processes.listDead();
  return dead.map((process) => process.executor).filter((gone) => gone !== executor);
}
