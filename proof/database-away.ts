import { setTimeout } from "node:timers/promises";
import { mkdtemp, rm, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postgres, startPostgres } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { createFaultProxy, type Fault, type FaultProxy } from "./fault-proxy.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { type Acknowledged, makeLeads } from "./leads.ts";
import { findUnexpected, type Look, slowestMs, startProbe, within } from "./probe.ts";
import { type Answer, findBadAnswers, startSender } from "./sender.ts";
import type { ServiceProcess } from "./service-process.ts";

const perSecond = 20;
/** Of steady work before each fault. */
const calmMs = 1000;
/** From the return of the database until everything acknowledged is done. */
const drainBarMs = 30_000;
/** A sender must not be kept waiting, whatever the database does. */
const answerBarMs = 10_000;

/** A way in which a database is away. */
interface Way {
  readonly name: string;
  readonly fault: Fault;
  /** Whether nothing at all can be read or stored meanwhile. */
  readonly isGone: boolean;
}

const ways: readonly Way[] = [
  { name: "refused", fault: { kind: "refuse" }, isGone: true },
  { name: "in a black hole", fault: { kind: "black-hole", forgets: true }, isGone: true },
  // Every statement that changes anything is committed, and whoever sent it is not told.
  {
    name: "reset in mid-commit",
    fault: { kind: "reset", onStatement: /^\s*(commit|with|insert|update|delete)\b/i },
    isGone: false,
  },
];

/** Takes Postgres away from a service in three ways, one after the other, while leads come in at a steady rate. */
export const databaseAway: Experiment = {
  name: "database-away",
  number: 5,
  asks: "Postgres refused, in a black hole, and reset in mid-commit, by a TCP proxy",
  holdsWhen:
    "503 with Retry-After within 10 s, never a 2xx without a commit, no exit, all acknowledged runs done <= 30 s after it is back",
  counts: "seconds away in each way",
  usual: { rounds: 1, count: 8 },
  brief: { rounds: 1, count: 3 },
  async run(play) {
    const folder = await mkdtemp(join(tmpdir(), "sluice-proof-"));
    // As root, Postgres runs as another user, who must be able to enter.
    await chmod(folder, 0o711);
    const postgres = await startPostgres(folder);
    try {
      return await playOn(postgres, play);
    } finally {
      await postgres.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function playOn(postgres: Postgres, play: Play): Promise<Outcome> {
  const { hostname: host, port } = new URL(postgres.url);
  const proxy = await createFaultProxy({ upstream: { host, port: Number(port) } });
  const lab = await prepareLab({ seed: play.seed, databaseUrl: postgres.url });
  try {
    const throughProxy = new URL(postgres.url);
    throughProxy.port = String(proxy.port);
    const service = await lab.start({ environment: { SLUICE_DATABASE_URL: throughProxy.href } });
    return await playWays({ lab, service, proxy }, play);
  } finally {
    // A service that ends in a black hole would wait for its last words to the database.
    await proxy.setFault(null);
    await lab.close();
    await proxy.close();
  }
}

interface Stage {
  readonly lab: Lab;
  readonly service: ServiceProcess;
  readonly proxy: FaultProxy;
}

/** The database away once. */
interface Absence {
  readonly acknowledged: readonly Acknowledged[];
  readonly answers: readonly Answer[];
  /** At `/healthz` and `/readyz`. */
  readonly looks: readonly Look[];
  readonly drainedMs: number;
  readonly violations: readonly string[];
}

async function playWays(stage: Stage, play: Play): Promise<Outcome> {
  const absences: Absence[] = [];
  for (let round = 1; round <= play.rounds; round += 1) {
    for (const way of ways) absences.push(await playWay(stage, way, play, `round${round}-${way.fault.kind}`));
  }
  const acknowledged = absences.flatMap((absence) => absence.acknowledged);
  const answers = absences.flatMap((absence) => absence.answers);
  const { violations } = await stage.lab.verdict(acknowledged, 1000);
  const slowestAnswerMs = slowestMs([...answers, ...absences.flatMap((absence) => absence.looks)]);
  const found = [
    ...absences.flatMap((absence) => absence.violations),
    ...violations,
    ...(await findExtraRuns(stage.lab, acknowledged.length)),
    ...(slowestAnswerMs <= answerBarMs ? [] : [`the slowest answer took ${slowestAnswerMs} ms, not ${answerBarMs}`]),
  ];
  return {
    holds: found.length === 0,
    rounds: play.rounds,
    figures: {
      awaySeconds: play.rounds * ways.length * play.count,
      acknowledgedLeads: acknowledged.length,
      refusals: answers.filter(({ status }) => status === 503).length,
      connectionsReset: stage.proxy.struck(),
      slowestAnswerMs,
      slowestDrainMs: Math.max(...absences.map((absence) => absence.drainedMs)),
    },
    violations: found,
  };
}

async function playWay({ lab, service, proxy }: Stage, way: Way, play: Play, name: string): Promise<Absence> {
  const awayMs = play.count * 1000;
  const leads = makeLeads(play.seed, name, Math.ceil(((calmMs + awayMs) / 1000) * perSecond));
  const health = startProbe(`${service.publicUrl}/healthz`);
  const readiness = startProbe(`${service.publicUrl}/readyz`);
  const sender = startSender({ hook: lab.hookOf(service), leads, perSecond });
  await setTimeout(calmMs);
  await proxy.setFault(way.fault);
  const goneAt = performance.now();
  await setTimeout(awayMs);
  const backAt = performance.now();
  await proxy.setFault(null);
  const unacknowledged = await sender.finish(drainBarMs);
  const isDrained = await lab.drained(drainBarMs - (performance.now() - backAt));
  const drainedMs = Math.round(performance.now() - backAt);
  await Promise.all([health.stop(), readiness.stop()]);
  const { answers, acknowledged } = sender;
  const looks = [...health.looks, ...readiness.looks];
  const refusals = answers.filter(({ status }) => status === 503).length;
  play.tell(
    `${way.name}: ${refusals} times 503, slowest answer ${slowestMs([...answers, ...looks])} ms, done ${drainedMs} ms after`,
  );
  const violations = [
    ...findBadAnswers(answers),
    ...(way.isGone ? findAcknowledged(within(answers, goneAt, backAt)) : []),
    ...(way.isGone ? findUnexpected("/readyz", within(readiness.looks, goneAt, backAt), 503) : []),
    ...findUnexpected("/healthz", health.looks, 200),
    ...(unacknowledged.length === 0 ? [] : [`${unacknowledged.length} leads were never acknowledged`]),
    ...(isDrained ? [] : [`runs had not ended ${drainBarMs} ms after the database was back`]),
    ...(await findExit(service)),
  ];
  return { acknowledged, answers, looks, drainedMs, violations: violations.map((text) => `${way.name}: ${text}`) };
}

function findAcknowledged(answers: readonly Look[]): string[] {
  const { length } = answers.filter(({ status }) => status === 200 || status === 202);
  return length === 0 ? [] : [`${length} deliveries were acknowledged while nothing could be stored`];
}

async function findExit(service: ServiceProcess): Promise<string[]> {
  const end = await Promise.race([service.exited, setTimeout(0, null)]);
  return end === null ? [] : [`the service ended with ${end}: ${service.words()}`];
}

/** Every delivery was sent more than once, and each may have started one run only. */
async function findExtraRuns(lab: Lab, wanted: number): Promise<string[]> {
  const [row] = await lab.withDatabase((database) =>
    database.query<{ count: number }>("select count(*)::integer as count from sluice.runs"),
  );
  return row?.count === wanted ? [] : [`there are ${row?.count} runs of ${wanted} leads`];
}
