import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { openDatabase } from "../src/store/index.ts";
import { type Database, withDatabase } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { type Acknowledged, makeLeads } from "./leads.ts";
import { findUnexpected, slowestMs, startProbe, within } from "./probe.ts";
import { type Answer, findBadAnswers, startSender } from "./sender.ts";
import type { ServiceProcess } from "./service-process.ts";
import { mountSmallDisk, type SmallDisk } from "./tmpfs.ts";

const perSecond = 20;
/** Postgres takes 40 MB of it from the start, and 16 MB for each further piece of its write-ahead log. */
const diskMb = 200;
/** From the return of space until everything acknowledged is done; Postgres may have to recover first. */
const drainBarMs = 30_000;
const answerBarMs = 10_000;

/** Fills the disk under the bundled Postgres, first for its data and then for its log, and makes it read-only, while leads come in. */
export const diskFull: Experiment = {
  name: "disk-full",
  number: 9,
  asks: "the disk of the bundled Postgres full, for its data and for its log, and a database that is read-only",
  holdsWhen: "503 for deliveries, reads go on, nothing is corrupt, and all goes on without a restart of the service",
  counts: "seconds of each state",
  usual: { rounds: 1, count: 6 },
  brief: { rounds: 1, count: 2 },
  async run(play) {
    const lab = await prepareLab({ seed: play.seed });
    let disk: SmallDisk | string = "";
    try {
      disk = await mountSmallDisk(join(lab.folder, "postgres"), diskMb);
      if (typeof disk === "string") return { holds: false, rounds: 0, figures: {}, violations: [], skipped: disk };
      return await playRounds(lab, disk, play);
    } finally {
      // The mount must be gone before the lab removes its folder.
      if (typeof disk !== "string") {
        await endPostgres(lab);
        await disk.unmount();
      }
      await lab.close();
    }
  },
};

interface Stage {
  readonly lab: Lab;
  readonly disk: SmallDisk;
  readonly service: ServiceProcess;
  /** Asks Postgres without a file on the full disk. */
  readonly ask: <T>(use: (database: Database) => Promise<T>) => Promise<T>;
  /** With which programs read the API. */
  readonly apiKey: string;
}

async function playRounds(lab: Lab, disk: SmallDisk, play: Play): Promise<Outcome> {
  const service = await lab.start();
  try {
    const joined = await openDatabase({ url: undefined, dataFolder: join(lab.folder, "postgres"), role: "guest" });
    // Closed at once: whoever stays joined brings a lost Postgres back, and that is the service's part.
    await joined.close();
    const ask: Stage["ask"] = (use) => withDatabase({ databaseUrl: joined.url }, use);
    const stage = { lab, disk, service, ask, apiKey: await createApiKey(ask) };
    const spells: Spell[] = [];
    for (let round = 1; round <= play.rounds; round += 1) {
      for (const state of states) spells.push(await playState(stage, state, play, `round${round}-${state.name}`));
    }
    return await judge(stage, play, spells);
  } finally {
    await service.stop();
  }
}

/** A state in which the database takes nothing in. */
interface State {
  readonly name: string;
  /** Brings it about, and resolves when Postgres has said so. */
  begin(stage: Stage): Promise<void>;
  /** Keeps it so; called every 100 ms. */
  hold(stage: Stage): Promise<void>;
  end(stage: Stage): Promise<void>;
  /** Whether Postgres answers questions meanwhile. */
  readonly isReadable: boolean;
}

const states: readonly State[] = [
  {
    name: "no-space-for-data",
    isReadable: true,
    async begin({ ask, disk }) {
      await disk.fill();
      await untilRefused(
        ask,
        "53100",
        "create table sluice.ballast as select repeat('x', 1000) from generate_series(1, 100)",
      );
    },
    hold: ({ disk }) => disk.fill(),
    end: ({ disk }) => disk.free(),
  },
  {
    name: "no-space-for-log",
    isReadable: false,
    async begin({ ask, disk }) {
      await disk.fill();
      await ask(untilLost);
    },
    hold: ({ disk }) => disk.fill(),
    end: ({ disk }) => disk.free(),
  },
  {
    name: "read-only",
    isReadable: true,
    async begin(stage) {
      await configure(stage, "default_transaction_read_only = on");
      await untilRefused(stage.ask, "25006", "create table sluice.ballast (id integer)");
    },
    hold: async () => {},
    end: (stage) => configure(stage, ""),
  },
];

interface Spell {
  readonly acknowledged: readonly Acknowledged[];
  readonly answers: readonly Answer[];
  readonly drainedMs: number;
  readonly violations: readonly string[];
}

async function playState(stage: Stage, state: State, play: Play, name: string): Promise<Spell> {
  const { lab, service, apiKey } = stage;
  const leads = makeLeads(play.seed, name, (play.count + 30) * perSecond);
  const probes = {
    "/healthz": startProbe(`${service.publicUrl}/healthz`),
    "the dashboard": startProbe(`${service.adminUrl}/`),
    "the list of runs": startProbe(`${service.adminUrl}/api/v1/runs`, { authorization: `Bearer ${apiKey}` }),
  };
  const sender = startSender({ hook: lab.hookOf(service), leads, perSecond });
  await setTimeout(1000);
  await state.begin(stage);
  const beganAt = performance.now();
  while (performance.now() - beganAt < play.count * 1000) {
    await state.hold(stage);
    await setTimeout(100);
  }
  const endedAt = performance.now();
  await state.end(stage);
  const unacknowledged = await sender.finish(drainBarMs);
  const isDrained = await lab.drained(drainBarMs - (performance.now() - endedAt));
  const drainedMs = Math.round(performance.now() - endedAt);
  await Promise.all(Object.values(probes).map((probe) => probe.stop()));
  const { answers, acknowledged } = sender;
  const refusals = answers.filter(({ status }) => status === 503).length;
  play.tell(
    `${state.name}: ${refusals} times 503, slowest answer ${slowestMs(answers)} ms, done ${drainedMs} ms after`,
  );
  // As before: 404 when its pages have not been built.
  const dashboardStatus = probes["the dashboard"].looks[0]?.status ?? 200;
  const looked = Object.entries(probes).filter(([what]) => state.isReadable || what !== "the list of runs");
  const violations = [
    ...findBadAnswers(answers),
    ...(refusals > 0 ? [] : ["no delivery was refused, so nothing was tried"]),
    ...looked.flatMap(([what, { looks }]) =>
      findUnexpected(what, within(looks, beganAt, endedAt), what === "the dashboard" ? dashboardStatus : 200),
    ),
    ...(unacknowledged.length === 0 ? [] : [`${unacknowledged.length} leads were never acknowledged`]),
    ...(isDrained ? [] : [`runs had not ended ${drainBarMs} ms afterwards`]),
  ];
  return { acknowledged, answers, drainedMs, violations: violations.map((text) => `${state.name}: ${text}`) };
}

async function judge({ lab, service, ask }: Stage, play: Play, spells: readonly Spell[]): Promise<Outcome> {
  const acknowledged = spells.flatMap((spell) => spell.acknowledged);
  const answers = spells.flatMap((spell) => spell.answers);
  const { violations } = await lab.verdict(acknowledged, 1000);
  const slowestAnswerMs = slowestMs(answers);
  const end = await Promise.race([service.exited, setTimeout(0, null)]);
  const found = [
    ...spells.flatMap((spell) => spell.violations),
    ...violations,
    ...(await ask(findCorruption)),
    ...(end === null ? [] : [`the service ended with ${end}: ${service.words()}`]),
    ...(slowestAnswerMs <= answerBarMs ? [] : [`the slowest answer took ${slowestAnswerMs} ms, not ${answerBarMs}`]),
  ];
  return {
    holds: found.length === 0,
    rounds: play.rounds,
    figures: {
      acknowledgedLeads: acknowledged.length,
      refusals: answers.filter(({ status }) => status === 503).length,
      slowestAnswerMs,
      slowestDrainMs: Math.max(...spells.map((spell) => spell.drainedMs)),
    },
    violations: found,
  };
}

/** A key as the application stores one: the digest of its token. */
async function createApiKey(ask: Stage["ask"]): Promise<string> {
  const token = `sk_${randomBytes(32).toString("base64url")}`;
  const digest = createHash("sha256").update(token).digest("hex");
  const text = `insert into sluice.api_keys (workspace_id, id, name, token_digest, role)
    values ('default', 'key_proof', 'proof', $1, 'viewer')`;
  await ask((database) => database.query(text, [digest]));
  return token;
}

/** Tries a statement that writes until Postgres refuses it for the reason wanted. */
async function untilRefused(ask: Stage["ask"], state: string, text: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await setTimeout(20)) {
    const refused = await ask(async (database) => {
      try {
        await database.query(text);
        await database.query("drop table sluice.ballast");
        return false;
      } catch (error) {
        return (error as { readonly code?: string }).code === state;
      }
    });
    if (refused) return;
  }
  throw new Error(`Postgres never refused to write with SQLSTATE ${state}`);
}

/** Writes to the log until the next piece of it finds no room: Postgres then ends with PANIC. */
async function untilLost(database: Database): Promise<void> {
  for (let at = 0; at < 400; at += 1) {
    try {
      await database.query("select pg_logical_emit_message(false, '', repeat('x', 1 << 20))");
    } catch (error) {
      const { code = "" } = error as { readonly code?: string };
      // No room in the data is an answer; a Postgres that is gone gives none, or says that it goes.
      if (!code.startsWith("53")) return;
    }
  }
  throw new Error("Postgres went on although its log had no room");
}

/** A service that had to be killed leaves its Postgres behind. */
async function endPostgres({ folder }: Lab): Promise<void> {
  const file = await readFile(join(folder, "postgres", "data", "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(file.split("\n")[0]);
  // Another process may have the number by now.
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  if (command.includes(folder)) process.kill(pid, "SIGQUIT");
}

/** What "alter system" and a reload do, which take a superuser. Applies to open connections too. */
async function configure({ lab, ask }: Stage, setting: string): Promise<void> {
  const data = join(lab.folder, "postgres", "data");
  const file = join(data, "postgresql.auto.conf");
  const before = (await readFile(file, "utf8")).split("\n").filter((line) => !line.startsWith("default_transaction"));
  await writeFile(file, [...before, setting, ""].join("\n"));
  process.kill(Number((await readFile(join(data, "postmaster.pid"), "utf8")).split("\n")[0]), "SIGHUP");
  const wanted = setting === "" ? "off" : "on";
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await setTimeout(20)) {
    const [row] = await ask((database) => database.query("show default_transaction_read_only"));
    if (row?.["default_transaction_read_only"] === wanted) return;
  }
  throw new Error(`Postgres did not take over ${setting || "the old settings"}`);
}

/** Reads every row by its table and by its index: both must agree, and every page that is read has a checksum. */
async function findCorruption(database: Database): Promise<string[]> {
  const found: string[] = [];
  for (const table of ["events", "runs", "steps", "effects"]) {
    const counts = new Set<unknown>();
    for (const way of ["seqscan", "indexscan"]) {
      await database.query(`set enable_${way} = off`);
      const [row] =
        await database.query(`select count(*) as count, md5(string_agg(t::text, '' order by t::text)) as digest
        from sluice.${table} as t where workspace_id = 'default'`);
      counts.add(JSON.stringify(row));
      await database.query(`reset enable_${way}`);
    }
    if (counts.size > 1) found.push(`table ${table} read by its index is not what it is read as a whole`);
  }
  const [row] = await database.query<{ readonly failures: number }>(
    "select coalesce(sum(checksum_failures), 0)::integer as failures from pg_stat_database",
  );
  return row?.failures === 0 ? found : [...found, `${row?.failures} pages fail their checksum`];
}
