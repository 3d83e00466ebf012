import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { leadsForm } from "../examples/connections.ts";
import { signSample } from "../src/triggers/index.ts";
import { napMs, notesVariable, retryMs } from "./clock.config.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { type Hook, makeLeads } from "./leads.ts";
import type { ServiceProcess } from "./service-process.ts";

/** From the right time, in seconds: an hour forward, from there two hours back, and right again. */
const offsets = [3600, -3600, 0];
/** After the events have come in and before the clock jumps: runs sleep, wait to try again, or stand in the queue. */
const beforeJumpMs = 600;
/** What a wait may take longer than was asked for, in real time. */
const lateBarMs = 5000;
/** Runs of a service that are under way at once; the others stand in the queue. */
const concurrency = 25;
/** What is left of the queue is done by then. */
const patienceMs = 20_000;
/** Flows whose runs come to their end here. */
const quick = ["nap", "retry", "queue"];
/** How often a parked run may be taken up in the time of one jump: each time it is replayed and parked again. */
const takenUpBar = 3;

/**
 * Lets the wall clock of one of two services jump while runs sleep, wait to try again, stand in the queue and are parked.
 * The other service and Postgres keep the right time, so that the clocks of the machines differ as well.
 *
 * Waits in memory last as long as was asked for, whatever the wall clock does. Parked runs carry the time at which they go
 * on. Ticks of schedules are no part of it: there are no schedules yet.
 */
export const clock: Experiment = {
  name: "clock",
  number: 8,
  asks: "the clock of a service set 1 h forward, 2 h back and right again, while the database keeps the right time",
  holdsWhen:
    "no run lost, none adopted from the living, no step twice, waits end at most 5 s late, signatures beyond 300 s refused",
  counts: "runs of each flow at each jump",
  usual: { rounds: 1, count: 40 },
  brief: { rounds: 1, count: 15 },
  async run(play) {
    const lab = await prepareLab({
      seed: play.seed,
      service: { config: new URL("clock.config.ts", import.meta.url).href, overrides: { concurrency } },
    });
    try {
      const fake = await createFakeClock(join(lab.folder, "clock"));
      if (typeof fake === "string") return { holds: false, rounds: 0, figures: {}, violations: [], skipped: fake };
      return await playRounds(lab, fake, play);
    } finally {
      await lab.close();
    }
  },
};

interface Stage {
  readonly lab: Lab;
  readonly fake: FakeClock;
  /** The service whose clock jumps. */
  readonly service: ServiceProcess;
}

async function playRounds(lab: Lab, fake: FakeClock, play: Play): Promise<Outcome> {
  const notes = join(lab.folder, "notes");
  // Has the bundled Postgres and the right time.
  await lab.start({}, { variables: { [notesVariable]: notes } });
  const service = await lab.start({ worker: true }, { variables: { [notesVariable]: notes, ...fake.variables } });
  const jumps: Jump[] = [];
  for (let round = 1; round <= play.rounds; round += 1) {
    for (const offset of offsets) jumps.push(await playJump({ lab, fake, service }, offset, play, round));
  }
  return judge(lab, play, jumps, readNotes(await readFile(notes, "utf8")));
}

/** A jump of the clock. */
interface Jump {
  readonly accepted: readonly Reply[];
  /** From the jump until the last run that was not parked has ended, in real time. */
  readonly doneMs: number;
  /** The most that one parked run was taken up meanwhile. */
  readonly takenUp: number;
  readonly violations: readonly string[];
}

async function playJump(stage: Stage, offset: number, play: Play, round: number): Promise<Jump> {
  const { lab, fake, service } = stage;
  const name = `round${round}_${offset}`;
  const before = await sendAll(stage, `${name}_before`, play);
  await setTimeout(beforeJumpMs);
  const parked = await readEpochs(lab);
  const leftAt = fake.now();
  await fake.setOffset(offset);
  const began = performance.now();
  const stale = await send(lab.hookOf(service, "nap"), `${name}_stale`, leftAt);
  const after = await sendAll(stage, `${name}_after`, play);
  const isDone = await untilEnded(lab, patienceMs);
  const doneMs = Math.round(performance.now() - began);
  // Parked runs are looked at every second or so.
  await setTimeout(Math.max(0, 4000 - doneMs));
  const epochs = await readEpochs(lab);
  const takenUp = Math.max(0, ...[...epochs].map(([id, epoch]) => epoch - (parked.get(id) ?? 0)));
  play.tell(`${offset} s: done after ${doneMs} ms, a parked run taken up at most ${takenUp} times`);
  const accepted = [...before, ...after];
  const violations = [
    ...accepted
      .filter(({ status }) => status !== 202)
      .map((reply) => `a delivery was answered ${JSON.stringify(reply)}`),
    ...(stale.code === "SIGNATURE_EXPIRED" ? [] : [`the old time's signature was answered ${JSON.stringify(stale)}`]),
    ...(isDone ? [] : [`runs had not ended after ${patienceMs} ms`]),
    ...(takenUp > takenUpBar ? [`a parked run was taken up ${takenUp} times, not at most ${takenUpBar}`] : []),
  ];
  return { accepted, doneMs, takenUp, violations: violations.map((text) => `clock at ${offset} s: ${text}`) };
}

interface Reply {
  readonly status: number;
  readonly runId?: string;
  readonly code?: string;
}

/** Sends leads to each flow of the service whose clock jumps, signed by its time. */
async function sendAll({ lab, service, fake }: Stage, name: string, { seed, count }: Play): Promise<Reply[]> {
  return Promise.all(
    makeLeads(seed, name, count).flatMap(({ deliveryId }) =>
      [...quick, "park"].map((path) => send(lab.hookOf(service, path), `${deliveryId}_${path}`, fake.now())),
    ),
  );
}

async function send({ url, secret }: Hook, deliveryId: string, sentAt: Date): Promise<Reply> {
  const body = JSON.stringify({ name: "Ada", email: "ada@example.com", company: deliveryId, message: "Hello" });
  const headers = signSample(leadsForm, secret, { body, sentAt, deliveryId });
  const response = await fetch(url, { method: "POST", headers, body });
  return { status: response.status, ...((await response.json()) as object) };
}

/** How often each parked run has been taken up, by its fencing token. */
async function readEpochs(lab: Lab): Promise<Map<string, number>> {
  const rows = await lab.withDatabase((database) =>
    database.query<{ id: string; epoch: number }>("select id, epoch from sluice.runs where flow = 'park'"),
  );
  return new Map(rows.map(({ id, epoch }) => [id, epoch]));
}

async function untilEnded(lab: Lab, withinMs: number): Promise<boolean> {
  const text = `select 1 from sluice.runs where flow <> 'park' and status in ('queued', 'running', 'waiting') limit 1`;
  return lab.withDatabase(async (database) => {
    for (const deadline = performance.now() + withinMs; performance.now() < deadline; await setTimeout(50)) {
      if ((await database.query(text)).length === 0) return true;
    }
    return false;
  });
}

/** A time that a step was done; see {@link notesVariable}. */
interface Note {
  readonly step: string;
  readonly number: number;
  readonly atMs: number;
}

/** By run, in order. */
function readNotes(text: string): Map<string, Note[]> {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" "));
  const notes = Map.groupBy(lines, ([run = ""]) => run);
  return new Map(
    [...notes].map(([run, of]) => [
      run,
      of.map(([_run, step = "", number, atMs]) => ({ step, number: Number(number), atMs: Number(atMs) })),
    ]),
  );
}

interface Row {
  readonly id: string;
  readonly flow: string;
  readonly status: string;
  readonly recoveries: number;
}

/** What is done for each run, in order. */
const wanted: { readonly [flow: string]: string } = {
  nap: "before 1, after 1",
  retry: "try 1, try 2, try 3",
  queue: "work 1",
  park: "",
};
/** The longest that the flow may take between two notes. */
const pauseMs: { readonly [flow: string]: number } = { nap: napMs, retry: retryMs };

async function judge(
  lab: Lab,
  play: Play,
  jumps: readonly Jump[],
  notes: ReadonlyMap<string, Note[]>,
): Promise<Outcome> {
  const rows = await lab.withDatabase((database) =>
    database.query<Row>("select id, flow, status, recoveries from sluice.runs"),
  );
  const accepted = jumps.flatMap((jump) => jump.accepted);
  const known = new Set(rows.map(({ id }) => id));
  const late = rows.map(({ id, flow }) => latenessMs(notes.get(id) ?? [], pauseMs[flow] ?? Infinity));
  const latestMs = Math.max(0, ...late);
  const adopted = rows.filter(({ recoveries }) => recoveries > 0);
  const violations = [
    ...jumps.flatMap((jump) => jump.violations),
    ...accepted.filter(({ runId = "" }) => !known.has(runId)).map(({ runId }) => `I1: run ${runId} is nowhere`),
    ...(rows.length === accepted.length ? [] : [`there are ${rows.length} runs of ${accepted.length} deliveries`]),
    ...rows.flatMap((row) => findProblems(row, notes.get(row.id) ?? [])),
    ...adopted.map(({ id }) => `run ${id} was adopted from a living process`),
    ...(latestMs <= lateBarMs ? [] : [`a wait ended ${latestMs} ms late, not at most ${lateBarMs}`]),
  ];
  return {
    holds: violations.length === 0,
    rounds: play.rounds,
    figures: {
      jumps: jumps.length,
      runs: rows.length,
      latestWaitMs: latestMs,
      slowestDoneMs: Math.max(...jumps.map((jump) => jump.doneMs)),
      adopted: adopted.length,
      mostTakenUp: Math.max(...jumps.map((jump) => jump.takenUp)),
      // Their time is half an hour away by the right clock.
      parkedEndedEarly: rows.filter(({ flow, status }) => flow === "park" && status === "succeeded").length,
    },
    violations,
  };
}

/** How much longer than asked for the longest pause between two notes was. */
function latenessMs(notes: readonly Note[], pause: number): number {
  return Math.max(0, ...notes.slice(1).map(({ atMs }, at) => atMs - (notes[at]?.atMs ?? 0) - pause));
}

function findProblems({ id, flow, status }: Row, notes: readonly Note[]): string[] {
  const done = notes.map(({ step, number }) => `${step} ${number}`).join(", ");
  const isEnded = status === "succeeded" || (flow === "park" && ["waiting", "running", "queued"].includes(status));
  return [
    ...(isEnded ? [] : [`I1: run ${id} of ${flow} is ${status}`]),
    ...(done === wanted[flow] ? [] : [`I3: run ${id} of ${flow} did "${done}", not "${wanted[flow]}"`]),
  ];
}
