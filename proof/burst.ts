import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { type BurstResult, sendBurst } from "./burst-sender.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { type Acknowledged, makeLeads } from "./leads.ts";

const connections = 200;
/** The second part sends half as many, to a queue that holds a fifth of them. */
const cappedShare = 1 / 2;
const queueShare = 1 / 5;
/** A service that kept what comes in would not get by with it. */
const heapMb = 200;
/** Of a part: from the first request until all are acknowledged, and from then until all runs have ended. */
const limitMs = 45_000;
/** What the service may take more than it did before, however much comes in. */
const growthBarMb = 300;

/** Sends thousands of deliveries at once: first with room in the queue for all of them, then with a queue that is too short. */
export const burst: Experiment = {
  name: "burst",
  number: 10,
  asks: "webhooks in a burst over 200 connections, with a long queue and with one of a fifth of their number",
  holdsWhen:
    "0 acknowledged lost; above the cap 503 QUEUE_FULL with Retry-After, and all accepted in the end; memory bounded",
  counts: "webhooks with a long queue; half as many with the short one",
  usual: { rounds: 1, count: 10_000 },
  brief: { rounds: 1, count: 1500 },
  async run(play) {
    const config = new URL("burst.config.ts", import.meta.url).href;
    const lab = await prepareLab({ seed: play.seed, service: { config } });
    try {
      const parts: Part[] = [];
      for (let round = 1; round <= play.rounds; round += 1) {
        const count = Math.ceil(play.count * cappedShare);
        const maxQueued = Math.ceil(count * queueShare);
        parts.push(await playPart(lab, play, { name: `round${round}-roomy`, count: play.count }));
        parts.push(await playPart(lab, play, { name: `round${round}-capped`, count, maxQueued }));
      }
      return await judge(lab, play, parts);
    } finally {
      await lab.close();
    }
  },
};

/** A burst on a service of its own. */
interface Part extends BurstResult {
  readonly name: string;
  readonly count: number;
  readonly isCapped: boolean;
  readonly isDrained: boolean;
  /** From the first request until the last run has ended. */
  readonly doneMs: number;
  readonly startMb: number;
  readonly peakMb: number;
  readonly afterMb: number;
  readonly end: number | string | null;
}

async function playPart(
  lab: Lab,
  play: Play,
  { name, count, maxQueued }: { readonly name: string; readonly count: number; readonly maxQueued?: number },
): Promise<Part> {
  const settings = maxQueued === undefined ? {} : { overrides: { maxQueued } };
  const service = await lab.start(settings, { nodeOptions: [`--max-old-space-size=${heapMb}`] });
  const leads = makeLeads(play.seed, name, count);
  const memory = await watchMemory(service.pid);
  const began = performance.now();
  const result = await sendBurst({ hook: lab.hookOf(service, "burst"), leads, connections, limitMs });
  const isDrained = await lab.drained(limitMs);
  const doneMs = Math.round(performance.now() - began);
  const megabytes = await memory.stop();
  const end = await Promise.race([service.exited, setTimeout(0, null)]);
  await service.stop();
  const { acknowledged, shed, elapsedMs } = result;
  play.tell(
    `${name}: ${acknowledged.length} acknowledged in ${elapsedMs} ms, ${shed} shed; done after ${doneMs} ms; ` +
      `memory ${megabytes.startMb}, at most ${megabytes.peakMb}, then ${megabytes.afterMb} MB`,
  );
  return { ...result, ...megabytes, name, count, isCapped: maxQueued !== undefined, isDrained, doneMs, end };
}

type Megabytes = Pick<Part, "startMb" | "peakMb" | "afterMb">;

/**
 * Measures the proportional set size of a process four times a second, in megabytes of 10^6 bytes; NaN where the system
 * has no /proc.
 *
 * @see https://docs.kernel.org/filesystems/proc.html (smaps_rollup)
 */
async function watchMemory(pid: number): Promise<{ stop(): Promise<Megabytes> }> {
  async function measure(): Promise<number> {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    return Math.round((Number(/^Pss:\s*(\d+) kB/m.exec(rollup)?.[1] ?? NaN) * 1024) / 1e6);
  }
  const startMb = await measure();
  let peakMb = startMb;
  let measuring: Promise<void> | null = null;
  const ticking = setInterval(() => {
    measuring ??= measure().then((megabytes) => {
      // The process may be gone.
      if (megabytes > peakMb) peakMb = megabytes;
      measuring = null;
    });
  }, 250);
  return {
    async stop() {
      clearInterval(ticking);
      await measuring;
      return { startMb, peakMb, afterMb: await measure() };
    },
  };
}

async function judge(lab: Lab, play: Play, parts: readonly Part[]): Promise<Outcome> {
  const acknowledged = parts.flatMap((part) => part.acknowledged);
  const lost = await findLost(lab, acknowledged);
  const grown = parts.map(({ peakMb, startMb }) => peakMb - startMb);
  const isMeasured = parts.every(({ startMb }) => !Number.isNaN(startMb));
  const violations = [
    ...parts.flatMap((part) => findProblems(part).map((text) => `${part.name}: ${text}`)),
    ...lost,
    ...(Math.max(...grown) > growthBarMb
      ? [`memory grew by ${Math.max(...grown)} MB, not at most ${growthBarMb}`]
      : []),
  ];
  const [roomy, capped] = [parts.filter(({ isCapped }) => !isCapped), parts.filter(({ isCapped }) => isCapped)];
  return {
    holds: violations.length === 0,
    rounds: play.rounds,
    figures: {
      acknowledged: acknowledged.length,
      lost: lost.length,
      shed: capped.reduce((sum, { shed }) => sum + shed, 0),
      slowestBurstMs: Math.max(...roomy.map(({ elapsedMs }) => elapsedMs)),
      slowestDoneMs: Math.max(...roomy.map(({ doneMs }) => doneMs)),
      slowestCappedMs: Math.max(...capped.map(({ elapsedMs }) => elapsedMs)),
      ...(isMeasured && {
        peakMb: Math.max(...parts.map(({ peakMb }) => peakMb)),
        growthToPeakMb: Math.max(...grown),
        growthAfterMb: Math.max(...parts.map(({ afterMb, startMb }) => afterMb - startMb)),
      }),
    },
    violations,
    ...(!isMeasured && { skipped: "memory, which is measured by /proc of Linux" }),
  };
}

function findProblems({ acknowledged, others, shed, isCapped, isDrained, end, count }: Part): string[] {
  return [
    ...(acknowledged.length === count
      ? []
      : [`${acknowledged.length} of ${count} deliveries were accepted in the end`]),
    ...[...others].map(([what, times]) => `${times} deliveries were answered by ${what}`),
    ...(isCapped && shed === 0 ? ["nothing was shed above the cap"] : []),
    ...(!isCapped && shed > 0 ? [`${shed} deliveries were shed below the cap`] : []),
    ...(isDrained ? [] : [`runs had not ended ${limitMs} ms after the last acknowledgement`]),
    ...(end === null ? [] : [`the service ended with ${end}`]),
  ];
}

/** Every acknowledged delivery has a run of its own that has succeeded, and there are no other runs. */
async function findLost(lab: Lab, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const stored = await lab.withDatabase((database) =>
    database.query<{ id: string; delivery: string; status: string }>(
      `select runs.id, delivery_id as delivery, status from sluice.runs join sluice.events on events.id = event_id`,
    ),
  );
  const byId = new Map(stored.map((run) => [run.id, run]));
  const lost = acknowledged.flatMap(({ lead: { deliveryId }, runId }) => {
    const run = byId.get(runId);
    return run?.delivery === deliveryId && run.status === "succeeded"
      ? []
      : [`I1: ${deliveryId} was acknowledged, and its run ${runId} is ${run?.status ?? "nowhere"}`];
  });
  const extra = stored.length - new Set(acknowledged.map(({ runId }) => runId)).size;
  return extra === 0 ? lost : [...lost, `I2: there are ${extra} runs more than acknowledged deliveries`];
}
