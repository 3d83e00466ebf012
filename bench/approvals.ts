import { setTimeout } from "node:timers/promises";
import { createApiKey, type BenchDatabase } from "./database.ts";
import { generateLoad } from "./generate-load.ts";
import { signLead } from "./lead.ts";
import { percentile } from "./report.ts";
import { hookSecret, type Service } from "./service.ts";

/** A run of the flow `approval`, which waits for its signal. */
export interface WaitingRun {
  readonly runId: string;
  readonly deliveryId: string;
}

/** How long one run took to go on, in milliseconds. */
export interface Wake {
  /** From the sending of the signal to the beginning of the next step, as recorded: both clocks are this machine's. */
  readonly wentOnMs: number;
  /** From the signal's row to the beginning of the next step: without what HTTP, sign-in and the commit of the signal take. */
  readonly insideMs: number;
  /** From the sending of the signal to the answer of a caller who then waits for the run's end by HTTP. */
  readonly answeredMs: number;
}

/** Most runs that are accepted and do not wait yet: far below the length at which a queue refuses more. */
const waveSize = 20_000;

/**
 * Accepts runs and lets each come to its wait. Resolves when all are parked.
 *
 * @throws Error when a delivery is refused, or when fewer than 50 a second are parked.
 */
export async function parkRuns(
  service: Service,
  database: BenchDatabase,
  { count, prefix }: { readonly count: number; readonly prefix: string },
): Promise<{ readonly runsPerSecond: number }> {
  const began = performance.now();
  const before = await countParked(database);
  const limitMs = 20_000 + (count / 50) * 1000;
  for (let sent = 0; sent < count; sent += waveSize) {
    const wave = Math.min(waveSize, count - sent);
    const url = `${service.publicUrl}/hooks/approvals`;
    const load = { url, secret: hookSecret, connections: 20, count: wave, limitMs };
    const { acknowledged } = await generateLoad({ ...load, prefix: `${prefix}${sent}-` });
    if (acknowledged < wave) throw new Error(`${wave - acknowledged} of ${wave} deliveries were not acknowledged`);
    await untilParked(database, before + sent + wave, began + limitMs);
  }
  return { runsPerSecond: (count / (performance.now() - began)) * 1000 };
}

async function untilParked(database: BenchDatabase, count: number, deadline: number): Promise<void> {
  for (;;) {
    const parked = await countParked(database);
    if (parked >= count) return;
    if (performance.now() > deadline) throw new Error(`${parked} of ${count} runs were parked in time`);
    await setTimeout(100);
  }
}

/** Runs that wait and are held by no process. */
async function countParked(database: BenchDatabase): Promise<number> {
  const { parked } = await database.query<{ parked: number }>(
    "select count(*)::integer as parked from sluice.runs where status = 'waiting' and executor is null",
  );
  return parked;
}

/** Chooses waiting runs, spread over all of a prefix. */
export async function chooseRuns(database: BenchDatabase, prefix: string, count: number): Promise<WaitingRun[]> {
  const all = await database.list<WaitingRun>(
    `select runs.id as "runId", delivery_id as "deliveryId" from sluice.runs
     join sluice.events on events.workspace_id = runs.workspace_id and events.id = runs.event_id
     where status = 'waiting' and starts_with(delivery_id, $1) order by runs.id`,
    [prefix],
  );
  const step = Math.max(1, Math.floor(all.length / count));
  return all.filter((_run, at) => at % step === 0).slice(0, count);
}

/**
 * Signals runs, some at once, and waits for each to succeed.
 *
 * @throws Error when a signal is not taken or a run does not succeed within 10 s.
 */
export async function wakeRuns(
  service: Service,
  database: BenchDatabase,
  runs: readonly WaitingRun[],
  atOnce = 1,
): Promise<Wake[]> {
  const key = await createApiKey(database);
  const sent = new Map<string, { readonly sentAt: number; readonly answeredMs: number }>();
  for (let from = 0; from < runs.length; from += atOnce) {
    const group = runs.slice(from, from + atOnce);
    await Promise.all(group.map(async (run) => sent.set(run.runId, await wakeRun(service, run, key))));
  }
  const times = await database.list<{ runId: string; wentOnAt: number; storedAt: number }>(
    `select run_id as "runId", extract(epoch from started_at)::float8 * 1000 as "wentOnAt",
       extract(epoch from received_at)::float8 * 1000 as "storedAt"
     from sluice.steps join sluice.signals using (workspace_id, run_id)
     where steps.name = 'act' and run_id = any($1)`,
    [[...sent.keys()]],
  );
  return times.map(({ runId, wentOnAt, storedAt }) => {
    const { sentAt, answeredMs } = sent.get(runId)!;
    return { wentOnMs: wentOnAt - sentAt, insideMs: wentOnAt - storedAt, answeredMs };
  });
}

async function wakeRun(
  { adminUrl, publicUrl }: Service,
  { runId, deliveryId }: WaitingRun,
  key: string,
): Promise<{ sentAt: number; answeredMs: number }> {
  const sentAt = performance.timeOrigin + performance.now();
  const signalled = await fetch(`${adminUrl}/api/v1/runs/${runId}/signals/go`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ value: { approved: true } }),
  });
  if (signalled.status !== 202) throw new Error(`a signal was answered ${signalled.status}: ${await signalled.text()}`);
  await signalled.arrayBuffer();
  // The delivery of before, sent again, is a way to wait for its run.
  const delivery = signLead(hookSecret, deliveryId);
  const waited = await fetch(`${publicUrl}/hooks/approvals?wait=10`, { method: "POST", ...delivery });
  const { status } = (await waited.json()) as { status: string };
  if (status !== "succeeded") throw new Error(`run ${runId} is ${status} 10 s after its signal`);
  return { sentAt, answeredMs: performance.timeOrigin + performance.now() - sentAt };
}

/** A share of all values of one kind. */
export function wakePercentile(wakes: readonly Wake[], kind: keyof Wake, share: number): number {
  return percentile(
    wakes.map((wake) => wake[kind]),
    share,
  );
}
