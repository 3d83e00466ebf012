import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postgres, startPostgres } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { createFaultProxy, type Fault, type FaultProxy } from "./fault-proxy.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { endure, type Endured, type Ordeal, type OrdealStage, toFigures } from "./ordeal.ts";
import { findUnexpected, within } from "./probe.ts";

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

/** Far more than the pools of a service hold together: what it gave up must not stay with Postgres, which takes 100. */
const connectionsBar = 40;

/** Takes Postgres away from a service in three ways, one after the other, while leads come in at a steady rate. */
export const databaseAway: Experiment = {
  name: "database-away",
  number: 5,
  asks: "Postgres refused, in a black hole, and reset in mid-commit, by a TCP proxy",
  holdsWhen:
    "503 with Retry-After within 10 s, never a 2xx without a commit, no exit, all acknowledged runs done <= 30 s after it is back",
  counts: "seconds away in each way",
  usual: { rounds: 1, count: 6 },
  brief: { rounds: 1, count: 2 },
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
    const addresses = {
      "/healthz": { url: `${service.publicUrl}/healthz` },
      "/readyz": { url: `${service.publicUrl}/readyz` },
    };
    return await playWays({ lab, service, proxy, addresses, ...play }, play);
  } finally {
    // A service that ends in a black hole would wait for its last words to the database.
    await proxy.setFault(null);
    await lab.close();
    await proxy.close();
  }
}

interface Stage extends OrdealStage {
  readonly proxy: FaultProxy;
}

async function playWays(stage: Stage, play: Play): Promise<Outcome> {
  const all: Endured[] = [];
  const found: string[] = [];
  for (let round = 1; round <= play.rounds; round += 1) {
    for (const way of ways) {
      const endured = await endure(stage, toOrdeal(way, stage.proxy, play.count * 1000), `round${round}`);
      all.push(endured);
      found.push(...endured.violations, ...findProblems(way, endured).map((text) => `${way.name}: ${text}`));
    }
  }
  const acknowledged = all.flatMap((endured) => endured.acknowledged);
  const { violations } = await stage.lab.verdict(acknowledged, 1000);
  const { runs, connections } = await count(stage.lab);
  found.push(
    ...violations,
    // Every delivery was sent more than once, and each may have started one run only.
    ...(runs === acknowledged.length ? [] : [`there are ${runs} runs of ${acknowledged.length} leads`]),
    ...(connections <= connectionsBar
      ? []
      : [`the service has ${connections} connections, not at most ${connectionsBar}`]),
  );
  return {
    holds: found.length === 0,
    rounds: play.rounds,
    figures: {
      awaySeconds: play.rounds * ways.length * play.count,
      ...toFigures(all),
      connectionsReset: stage.proxy.struck(),
      connectionsAfter: connections,
    },
    violations: found,
  };
}

function toOrdeal({ name, fault }: Way, proxy: FaultProxy, lastsMs: number): Ordeal {
  return { name, lastsMs, begin: () => proxy.setFault(fault), end: () => proxy.setFault(null) };
}

function findProblems({ isGone }: Way, { answers, looks, beganAt, endedAt }: Endured): string[] {
  const { "/healthz": alive = [], "/readyz": ready = [] } = looks;
  const accepted = within(answers, beganAt, endedAt).filter(({ status }) => status === 200 || status === 202);
  return [
    ...(isGone && accepted.length > 0
      ? [`${accepted.length} leads were acknowledged while nothing could be stored`]
      : []),
    ...(isGone ? findUnexpected("/readyz", within(ready, beganAt, endedAt), 503) : []),
    ...findUnexpected("/healthz", alive, 200),
  ];
}

/** Runs, and connections of the service that Postgres knows of. */
async function count(lab: Lab): Promise<{ readonly runs: number; readonly connections: number }> {
  const text = `select (select count(*)::integer from sluice.runs) as runs,
    (select count(*)::integer from pg_stat_activity where application_name like 'sluice%') as connections`;
  const [row] = await lab.withDatabase((database) => database.query<Awaited<ReturnType<typeof count>>>(text));
  return row ?? { runs: 0, connections: 0 };
}
