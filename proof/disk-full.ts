import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { openDatabase } from "../src/store/index.ts";
import { type Database, withDatabase } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { countRefusals, endure, type Endured, type Ordeal, type OrdealStage, toFigures } from "./ordeal.ts";
import { findUnexpected, within } from "./probe.ts";
import { mountSmallDisk, type SmallDisk } from "./tmpfs.ts";

/** Postgres takes 40 MB of it from the start, and 16 MB for each further piece of its write-ahead log. */
const diskMb = 200;

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

interface Stage extends OrdealStage {
  readonly disk: SmallDisk;
  /** Asks Postgres without a file on the full disk. */
  readonly ask: <T>(use: (database: Database) => Promise<T>) => Promise<T>;
}

async function playRounds(lab: Lab, disk: SmallDisk, play: Play): Promise<Outcome> {
  const service = await lab.start();
  try {
    const joined = await openDatabase({ url: undefined, dataFolder: join(lab.folder, "postgres"), role: "guest" });
    // Closed at once: whoever stays joined brings a lost Postgres back, and that is the service's part.
    await joined.close();
    const ask: Stage["ask"] = (use) => withDatabase({ databaseUrl: joined.url }, use);
    const readers = Object.entries(await ask(admitReaders));
    const url = `${service.adminUrl}/api/v1/runs`;
    const addresses = {
      "/healthz": { url: `${service.publicUrl}/healthz` },
      "the dashboard": { url: `${service.adminUrl}/` },
      ...Object.fromEntries(readers.map(([reader, headers]) => [reader, { url, headers }])),
    };
    return await playStates({ lab, service, disk, ask, addresses, ...play }, play);
  } finally {
    await service.stop();
  }
}

/** A state in which the database takes nothing in. */
interface State {
  readonly name: string;
  /** Whether Postgres answers questions meanwhile. */
  readonly isReadable: boolean;
  /** Brings it about, and resolves when Postgres has said so. */
  readonly begin: (stage: Stage) => Promise<void>;
  /** Keeps it so. */
  readonly hold: (stage: Stage) => Promise<void>;
  readonly end: (stage: Stage) => Promise<void>;
}

const states: readonly State[] = [
  {
    name: "no space for data",
    isReadable: true,
    begin: ({ ask, disk }) =>
      // Connected first: Postgres may not let anybody in who comes when the disk is full.
      ask(async (database) => {
        await disk.fill();
        await untilRefused(database, "53100");
      }),
    hold: ({ disk }) => disk.fill(),
    end: ({ disk }) => disk.free(),
  },
  {
    name: "no space for the log",
    isReadable: false,
    begin: ({ ask, disk }) =>
      ask(async (database) => {
        await disk.fill();
        await untilLost(database);
      }),
    hold: ({ disk }) => disk.fill(),
    end: ({ disk }) => disk.free(),
  },
  {
    name: "read-only",
    isReadable: true,
    async begin(stage) {
      await configure(stage, "default_transaction_read_only = on");
      await stage.ask((database) => untilRefused(database, "25006"));
    },
    hold: async () => {},
    end: (stage) => configure(stage, ""),
  },
];

async function playStates(stage: Stage, play: Play): Promise<Outcome> {
  const all: Endured[] = [];
  const found: string[] = [];
  for (let round = 1; round <= play.rounds; round += 1) {
    for (const state of states) {
      const endured = await endure(stage, toOrdeal(state, stage, play.count * 1000), `round${round}`);
      all.push(endured);
      found.push(...endured.violations, ...findProblems(state, endured).map((text) => `${state.name}: ${text}`));
    }
  }
  const { violations } = await stage.lab.verdict(
    all.flatMap(({ acknowledged }) => acknowledged),
    1000,
  );
  found.push(...violations, ...(await stage.ask(findCorruption)));
  return { holds: found.length === 0, rounds: play.rounds, figures: toFigures(all), violations: found };
}

function toOrdeal({ name, begin, hold, end }: State, stage: Stage, lastsMs: number): Ordeal {
  return { name, lastsMs, begin: () => begin(stage), hold: () => hold(stage), end: () => end(stage) };
}

function findProblems({ isReadable }: State, endured: Endured): string[] {
  const { looks, beganAt, endedAt } = endured;
  const { "/healthz": alive = [], "the dashboard": pages = [], ...lists } = looks;
  // As before: 404 when its pages have not been built.
  const pageStatus = pages[0]?.status ?? 200;
  return [
    ...(countRefusals(endured) > 0 ? [] : ["no delivery was refused, so nothing was tried"]),
    ...findUnexpected("/healthz", alive, 200),
    ...findUnexpected("the dashboard", within(pages, beganAt, endedAt), pageStatus),
    ...(isReadable
      ? Object.entries(lists).flatMap(([what, list]) => findUnexpected(what, within(list, beganAt, endedAt), 200))
      : []),
  ];
}

/** A token as the application stores it: its digest. */
function createToken(prefix: string): { readonly token: string; readonly digest: string } {
  const token = `${prefix}${randomBytes(32).toString("base64url")}`;
  return { token, digest: createHash("sha256").update(token).digest("hex") };
}

/** Lets a program and a person in; gives the headers with which they read. */
async function admitReaders(
  database: Database,
): Promise<{ readonly [reader: string]: { readonly [name: string]: string } }> {
  const [key, session] = [createToken("sk_"), createToken("")];
  await database.query(
    `insert into sluice.api_keys (workspace_id, id, name, token_digest, role)
     values ('default', 'key_proof', 'proof', $1, 'viewer')`,
    [key.digest],
  );
  await database.query(`insert into sluice.users (workspace_id, id, email, name, role, password_hash)
    values ('default', 'usr_proof', 'proof@example.com', 'Proof', 'viewer', '')`);
  await database.query(
    `insert into sluice.sessions (workspace_id, token_digest, user_id, expires_at)
     values ('default', $1, 'usr_proof', now() + interval '1 day')`,
    [session.digest],
  );
  return {
    "the list of runs by key": { authorization: `Bearer ${key.token}` },
    "the list of runs by session": { cookie: `sluice_session=${session.token}` },
  };
}

/** Tries to write until Postgres refuses it for the reason wanted. */
async function untilRefused(database: Database, state: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await setTimeout(20)) {
    try {
      await database.query("create table sluice.ballast as select repeat('x', 1000) from generate_series(1, 100)");
      await database.query("drop table sluice.ballast");
    } catch (error) {
      if ((error as { readonly code?: string }).code === state) return;
      throw error;
    }
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
