import { setTimeout } from "node:timers/promises";
import { countRepeats, findAll } from "./checker.ts";
import type { Database } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { type Acknowledged, deliverAll, draw, makeLeads } from "./leads.ts";
import type { ServiceProcess } from "./service-process.ts";
import { compareSnapshots, takeSnapshot } from "./snapshot.ts";

/** Within this time others must have taken on what a dead process had under way. */
const adoptionBarMs = 15_000;

const frozenForMs = { usual: 30_000, short: 12_000 };

/** How long the woken process is watched: it hears within a second or two that it was given up. */
const watchedForMs = 3000;

/** Of three processes, one is killed for good, and one stands still for a while and then goes on as if nothing had been. */
export const frozen: Experiment = {
  name: "frozen",
  number: 4,
  asks: "of three processes with load, one is killed for good and one is frozen for 30 s (short: 12 s) and woken",
  holdsWhen: "their runs go on elsewhere within 15 s, and what the woken one still does changes nothing",
  counts: "leads for each process",
  usual: { rounds: 1, count: 60 },
  brief: { rounds: 1, count: 30 },
  async run(play) {
    const stops: Stop[] = [];
    for (let number = 1; number <= play.rounds; number += 1) {
      const lab = await prepareLab({ seed: play.seed + number, service: { modelLatencyMs: 100 } });
      try {
        stops.push(...(await playRound(lab, play, `round${number}`)));
      } finally {
        await lab.close();
      }
    }
    return judge(play.rounds, stops);
  },
};

/** What came of a process that was killed or frozen. */
interface Stop {
  readonly what: "killed" | "frozen";
  /** From the stop until the last of its unfinished runs was another's; where that did not come, how long it was waited for. */
  readonly adoptedMs: number;
  /** Unfinished runs that it had. */
  readonly owned: number;
  readonly staleWrites: readonly string[];
  readonly violations: readonly string[];
  readonly doubled: number;
  readonly repeats: number;
}

async function playRound(lab: Lab, play: Play, name: string): Promise<Stop[]> {
  const survivor = await lab.start();
  const [doomed, sleeper] = await Promise.all([lab.start({ worker: true }), lab.start({ worker: true })]);
  return lab.withDatabase(async (database) => {
    const first = await load(lab, [survivor, doomed, sleeper], play, `${name}-late`);
    const stoppedAt = performance.now();
    sleeper.freeze();
    await doomed.kill();
    const stops = await watchAdoption(database, { killed: doomed, frozen: sleeper });
    await lab.sandbox.setFaults([]);
    const undone = (await lab.drained()) ? [] : ["runs had not ended when the frozen process was woken, after 20 s"];
    const forMs = play.short ? frozenForMs.short : frozenForMs.usual;
    await setTimeout(Math.max(0, forMs - (performance.now() - stoppedAt)));
    const staleWrites = await wakeAndCompare(database, sleeper, first);
    const found = await findIn(lab, first);
    const violations = [...undone, ...found.violations];
    const late: Stop[] = [...stops, { ...nothing, ...found, what: "frozen", staleWrites, violations }];
    tellStops(play, "woken when all had ended", late);
    if (play.short) return late;
    // Another one: the first may have ended itself when it heard that it was given up.
    const next = await lab.start({ worker: true });
    const early = await wakeEarly(lab, database, [survivor, next], { play, name });
    tellStops(play, "woken as soon as its runs were adopted", early);
    return [...late, ...early];
  });
}

const nothing = { adoptedMs: 0, owned: 0, staleWrites: [], violations: [], doubled: 0, repeats: 0 } as const;

/** Wakes a process while others are in the middle of its runs. */
async function wakeEarly(
  lab: Lab,
  database: Database,
  [survivor, sleeper]: readonly [ServiceProcess, ServiceProcess],
  { play, name }: { readonly play: Play; readonly name: string },
): Promise<Stop[]> {
  const acknowledged = await load(lab, [survivor, sleeper], play, `${name}-early`);
  sleeper.freeze();
  const stops = await watchAdoption(database, { frozen: sleeper });
  sleeper.wake();
  await lab.sandbox.setFaults([]);
  await lab.drained();
  await setTimeout(watchedForMs);
  return [...stops, { ...nothing, what: "frozen", ...(await findIn(lab, acknowledged)) }];
}

/** Sends leads to all; each process begins the runs of those that it accepts. Resolves at the moment that the seed gives. */
async function load(
  lab: Lab,
  services: readonly ServiceProcess[],
  { seed, count }: Play,
  name: string,
): Promise<Acknowledged[]> {
  // The CRM is slow, so that every process has calls under way.
  await lab.sandbox.setFaults([{ system: "hubspot", kind: "slow", params: { delayMs: 1500 } }]);
  const parts = services.map((service, at) =>
    deliverAll(lab.hookOf(service), makeLeads(seed, `${name}-${at}`, count), { connections: 10 }),
  );
  const acknowledged = (await Promise.all(parts)).flat();
  await setTimeout(draw(seed, `${name}/moment`) * 300);
  return acknowledged;
}

/** Waits until none of the unfinished runs of stopped processes is theirs any more. */
async function watchAdoption(
  database: Database,
  stopped: { readonly [what in Stop["what"]]?: ServiceProcess },
): Promise<Stop[]> {
  const since = performance.now();
  const processes = Object.entries(stopped) as [Stop["what"], ServiceProcess][];
  return Promise.all(
    processes.map(async ([what, process]) => {
      const owned = await countOwned(database, process);
      for (;;) {
        const adoptedMs = Math.round(performance.now() - since);
        const isOver = (await countOwned(database, process)) === 0 || adoptedMs > adoptionBarMs + 2000;
        if (isOver) return { ...nothing, what, owned, adoptedMs };
        await setTimeout(50);
      }
    }),
  );
}

async function countOwned({ query }: Database, { executor }: ServiceProcess): Promise<number> {
  const [row] = await query<{ count: number }>(
    `select count(*)::integer as count from sluice.runs where executor = $1 and finished_at is null`,
    [executor],
  );
  return row?.count ?? 0;
}

/** Gives what is recorded otherwise after the process was woken than before. All runs had ended by then. */
async function wakeAndCompare(
  database: Database,
  sleeper: ServiceProcess,
  acknowledged: readonly Acknowledged[],
): Promise<string[]> {
  const runIds = acknowledged.map(({ runId }) => runId);
  const before = await takeSnapshot(database, runIds);
  sleeper.wake();
  await setTimeout(watchedForMs);
  return compareSnapshots(before, await takeSnapshot(database, runIds));
}

async function findIn(
  lab: Lab,
  acknowledged: readonly Acknowledged[],
): Promise<Pick<Stop, "violations" | "doubled" | "repeats">> {
  const evidence = await lab.evidence(acknowledged);
  const findings = findAll(evidence, "repeats");
  return {
    repeats: countRepeats(evidence),
    violations: findings.map((finding) => finding.text),
    doubled: findings.filter((finding) => finding.kind === "doubled").length,
  };
}

function tellStops({ tell }: Play, how: string, stops: readonly Stop[]): void {
  const parts = stops.map(({ what, owned, adoptedMs }) => `${owned} runs of the ${what} one after ${adoptedMs} ms`);
  tell(`${how}: adopted ${parts.slice(0, -1).join(", ")}`);
}

function judge(rounds: number, stops: readonly Stop[]): Outcome {
  const staleWrites = stops.flatMap((stop) => stop.staleWrites);
  const slowest = (what: Stop["what"]): number =>
    Math.max(...stops.filter((stop) => stop.what === what).map((stop) => stop.adoptedMs));
  const adoptedRuns = stops.reduce((sum, stop) => sum + stop.owned, 0);
  const late = stops.filter((stop) => stop.adoptedMs > adoptionBarMs);
  const violations = [
    ...late.map(({ what, adoptedMs }) => `the runs of the ${what} process were still its own after ${adoptedMs} ms`),
    // Otherwise nothing was put to the test.
    ...(adoptedRuns === 0 ? ["no run was under way in the stopped processes"] : []),
    ...staleWrites.map((text) => `the woken process wrote: ${text}`),
    ...stops.flatMap((stop) => stop.violations),
  ];
  return {
    holds: violations.length === 0,
    rounds,
    figures: {
      adoptedMs: slowest("frozen"),
      killedAdoptedMs: slowest("killed"),
      adoptedRuns,
      staleWrites: staleWrites.length,
      repeatsWithKey: Math.max(...stops.map((stop) => stop.repeats)),
      doubledByKey: stops.reduce((sum, stop) => sum + stop.doubled, 0),
    },
    violations,
  };
}
