import { setTimeout } from "node:timers/promises";
import { findAll, type Finding } from "./checker.ts";
import type { Database } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { type Acknowledged, deliver, deliverAll, draw, type Hook, makeLeads } from "./leads.ts";

/** From the kill until a new lead has been acknowledged and its run has ended. */
const recoveryBarMs = 5000;

/** Runs take some time, so that many are under way at once. */
const modelLatencyMs = 400;

/** Times `count`, leads that are sent at once: some of their runs end before the moment, and enough must be left. */
const burstShare = 2;
/** Times `count`, leads that come one after the other meanwhile, so that acknowledgements are cut off as well. */
const trickleShare = 0.25;
/** Times `count`, most runs that have ended at the moment of the kill. */
const endedShare = 0.8;

/** Kills the application in the middle of its work: in odd rounds the service, in even rounds the service and Postgres. */
export const kill: Experiment = {
  name: "kill",
  number: 1,
  asks: "kill -9 of the service, or of service and Postgres, at random moments of their work",
  holdsWhen: "nothing acknowledged is lost, nothing is doubled or done again, and new work is done within 5 s",
  counts: "runs in flight at each kill",
  usual: { rounds: 5, count: 200 },
  brief: { rounds: 2, count: 60 },
  async run(play) {
    const concurrency = play.count * burstShare;
    const lab = await prepareLab({ seed: play.seed, service: { modelLatencyMs, overrides: { concurrency } } });
    try {
      return await playAll(lab, play);
    } finally {
      await lab.close();
    }
  },
};

/** What came of one kill. */
interface Round {
  readonly acknowledged: readonly Acknowledged[];
  readonly inFlight: number;
  readonly recoveryMs: number;
}

async function playAll(lab: Lab, play: Play): Promise<Outcome> {
  let service = await lab.start();
  const hook = lab.hookOf(service);
  const rounds: Round[] = [];
  for (let number = 1; number <= play.rounds; number += 1) {
    const victims = number % 2 === 1 ? "the service" : "service and Postgres";
    const loaded = await lab.withDatabase(async (database) => {
      const load = await untilMoment(database, hook, { ...play, round: `round${number}` });
      if (number % 2 === 0) process.kill(service.postmasterPid, "SIGKILL");
      await service.kill();
      return { ...load, killedAt: performance.now() };
    });
    service = await lab.start({ publicPort: Number(new URL(hook.url).port) });
    const probe = await finishProbe(hook, play.seed, number);
    const recoveryMs = Math.round(performance.now() - loaded.killedAt);
    play.tell(
      `round ${number}: killed ${victims}, ${loaded.inFlight} runs in flight; working again after ${recoveryMs} ms`,
    );
    rounds.push({ acknowledged: [probe, ...(await loaded.sending)], inFlight: loaded.inFlight, recoveryMs });
    await lab.drained();
  }
  const evidence = await lab.evidence(rounds.flatMap((round) => round.acknowledged));
  const recovered = [...evidence.runs.values()].filter(({ run }) => run.recoveries > 0).length;
  return judge(play, rounds, { findings: findAll(evidence), recovered });
}

interface Load {
  /** Goes on over the kill. */
  readonly sending: Promise<readonly Acknowledged[]>;
  readonly inFlight: number;
}

/** Sends leads, and waits for the moment: so many runs have ended as the seed says, and `count` more are under way. */
async function untilMoment(database: Database, hook: Hook, play: Play & { readonly round: string }): Promise<Load> {
  const { seed, count, round } = play;
  const leads = makeLeads(seed, round, Math.round(count * (burstShare + trickleShare)));
  const trickle = leads.splice(count * burstShare);
  const sendings = [
    deliverAll(hook, leads, { connections: 40 }),
    deliverAll(hook, trickle, { connections: 4, pauseMs: 50 }),
  ];
  const sending = Promise.all(sendings).then((parts) => parts.flat());
  // It is awaited after the kill; until then its failure has nobody else to tell.
  sending.catch(() => {});
  const before = (await countRuns(database)).ended;
  const wanted = Math.floor(draw(seed, `${round}/ended`) * count * endedShare);
  for (const deadline = Date.now() + 15_000; ; await setTimeout(5)) {
    const { running, ended } = await countRuns(database);
    if (running >= count && ended - before >= wanted) break;
    if (Date.now() > deadline) throw new Error(`${running} runs were under way after 15 s, not ${count}`);
  }
  await setTimeout(draw(seed, `${round}/delay`) * 50);
  return { sending, inFlight: (await countRuns(database)).running };
}

async function countRuns({ query }: Database): Promise<{ readonly running: number; readonly ended: number }> {
  const [counts] = await query<{ running: number; ended: number }>(
    `select (count(*) filter (where status in ('running', 'waiting')))::integer as running,
     (count(*) filter (where finished_at is not null))::integer as ended from sluice.runs`,
  );
  return counts ?? { running: 0, ended: 0 };
}

/** A new lead, from its sending until its run has ended. Old work is not waited for. */
async function finishProbe(hook: Hook, seed: number, number: number): Promise<Acknowledged> {
  const lead = makeLeads(seed, `probe${number}`, 1)[0]!;
  for (let tries = 0; tries < 3; tries += 1) {
    const probe = await deliver(hook, lead, { waitSeconds: 10, patienceMs: 20_000 });
    if (probe.status !== undefined) return probe;
  }
  throw new Error(`the run of ${lead.deliveryId} has not ended within 30 s`);
}

function judge(
  { count }: Play,
  rounds: readonly Round[],
  { findings, recovered }: { readonly findings: readonly Finding[]; readonly recovered: number },
): Outcome {
  const times = rounds.map((round) => round.recoveryMs).toSorted((a, b) => a - b);
  const recoveryMs = times.at(-1) ?? 0;
  const inFlightAtKill = Math.min(...rounds.map((round) => round.inFlight));
  const countOf = (kind: Finding["kind"]): number => findings.filter((finding) => finding.kind === kind).length;
  const violations = [
    ...findings.map((finding) => finding.text),
    ...(recoveryMs > recoveryBarMs
      ? [`new work was done ${recoveryMs} ms after a kill, more than ${recoveryBarMs}`]
      : []),
    // Otherwise nothing was put to the test.
    ...(inFlightAtKill < count * 0.8 ? [`only ${inFlightAtKill} runs were in flight at a kill`] : []),
    ...(recovered === 0 ? ["no run was under way at any of the moments"] : []),
  ];
  return {
    holds: violations.length === 0,
    rounds: rounds.length,
    figures: {
      lost: countOf("lost"),
      doubledByKey: countOf("doubled"),
      savedStepsRerun: countOf("rerun"),
      recoveryMs,
      recoveryMedianMs: times[Math.floor(times.length / 2)] ?? 0,
      inFlightAtKill,
      acknowledged: rounds.flatMap((round) => round.acknowledged).length,
      recovered,
    },
    violations,
  };
}
