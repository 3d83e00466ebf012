import type { RunRecord } from "../../src/store/index.ts";
import type { DemoApplication } from "./application.ts";
import { deliveryPrefix } from "./deliveries.ts";

/**
 * Finds the runs that an earlier demo of this folder left unfinished, the oldest first. Call it before anything is sent.
 *
 * The engine takes them over while it starts, so that some may have ended again by now: those bear its name. In a
 * database of somebody's own there can be runs of others too, also of demos of other folders: the ids of their
 * deliveries tell.
 */
export async function findLeftRuns(application: DemoApplication): Promise<RunRecord[]> {
  const { app } = application;
  const { runs } = app.workspace;
  const unfinished = await listUnfinished(application);
  const { items: newest } = await runs.list({ limit: 200 });
  const here = newest.filter((run) => run.executor === app.engine.executor);
  const left = new Map([...unfinished, ...here].map((run) => [run.id, run]));
  const own = await Promise.all([...left.values()].map((run) => isOwn(application, run.id)));
  return [...left.values()].filter((_run, at) => own[at]).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

async function listUnfinished({ app }: DemoApplication): Promise<RunRecord[]> {
  const found: RunRecord[] = [];
  let before: string | undefined;
  do {
    const page = await app.workspace.runs.list({ status: ["queued", "running", "waiting"], before, limit: 200 });
    found.push(...page.items);
    before = page.next ?? undefined;
  } while (before !== undefined);
  return found;
}

async function isOwn({ app, folderId }: DemoApplication, runId: string): Promise<boolean> {
  if (app.database.kind === "embedded") return true;
  const event = await app.workspace.events.ofRun(runId);
  return event?.deliveryId?.startsWith(deliveryPrefix(folderId)) ?? false;
}
