import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, open, readdir, readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Pool } from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { DatabaseProcess } from "./fixtures/database-process.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";
import { startEmbeddedPostgres, type EmbeddedOptions, type EmbeddedPhase, type EmbeddedPostgres } from "./index.ts";
import { isRoot } from "./owned-files.ts";
import { identify, isAlive } from "./process-identity.ts";

// A cluster that most tests take and leave stopped; those that want a first start, or break something, make their own.
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-embedded-"));
  await chmod(folder, 0o755);
  await (await startEmbeddedPostgres({ dataFolder: folder, role: "owner" })).close();
});
afterAll(() => rm(folder, { recursive: true }));

interface Started extends EmbeddedPostgres {
  readonly phases: EmbeddedPhase[];
}

async function start(dataFolder: string, role: EmbeddedOptions["role"] = "owner"): Promise<Started> {
  const phases: EmbeddedPhase[] = [];
  const postgres = await startEmbeddedPostgres({ dataFolder, role, onProgress: (phase) => phases.push(phase) });
  onTestFinished(() => postgres.close());
  return Object.assign(postgres, { phases });
}

function run(folder: string, role: EmbeddedOptions["role"]): DatabaseProcess {
  const child = new DatabaseProcess(folder, role);
  onTestFinished(() => child.signalGroup("SIGKILL"));
  return child;
}

async function query<T = Record<string, string>>({ url }: { url: string }, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

const isRunning = (pid: number): boolean => isAlive({ pid, startedAt: null });
const portOf = ({ url }: { url: string }): string => new URL(url).port;

describe("starting and stopping", () => {
  test("makes a durable, private, deterministic database at the first start", async () => {
    const folder = join(await temporaryFolder(), "postgres");
    const postgres = await start(folder);
    expect(postgres.phases).toEqual(["preparing", "starting", "ready"]);
    expect(postgres).toMatchObject({ folder, version: expect.stringMatching(/^18\./) });
    const names =
      "fsync synchronous_commit full_page_writes listen_addresses unix_socket_directories data_checksums".split(" ");
    const settings = await query(
      postgres,
      `SELECT ${names.map((name) => `current_setting('${name}') AS ${name}`).join()}`,
    );
    expect(Object.values(settings[0]!)).toEqual(["on", "on", "on", "127.0.0.1", "", "on"]);
    const [facts] = await query(
      postgres,
      "SELECT current_database() AS db, current_setting('is_superuser') AS super, lower('É') AS lower, ('Z' < 'a')::text AS sorts, current_setting('server_encoding') AS enc",
    );
    expect(facts).toEqual({ db: "sluice", super: "off", lower: "é", sorts: "true", enc: "UTF8" });
    expect((await stat(join(folder, "password"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "data"))).mode & 0o777).toBe(0o700);
  });

  test.runIf(isRoot())(
    "as root, data below a closed folder lies where Postgres can enter, and is found again",
    async () => {
      const closed = join(await temporaryFolder(), "home");
      await mkdir(closed, { mode: 0o700 });
      const first = await start(join(closed, "postgres"));
      onTestFinished(() => rm(first.folder, { recursive: true }));
      expect(first.phases).toEqual(["relocated", "preparing", "starting", "ready"]);
      expect(first.folder).toMatch(/^\/var\/lib\/sluice\/[0-9a-f]+$/);
      await first.close();
      const second = await start(join(closed, "postgres"));
      expect([second.phases, second.url]).toEqual([["relocated", "starting", "ready"], first.url]);
      await second.close();
    },
  );

  test("nobody signs in without the password, and the superuser not at all", async () => {
    const postgres = await start(folder);
    for (const user of ["sluice:wrong", "sluice", "postgres", "postgres:"]) {
      const attempt = query({ url: `postgresql://${user}@127.0.0.1:${portOf(postgres)}/postgres` }, "SELECT 1");
      await expect(attempt).rejects.toThrow(/password/i);
    }
  });

  test("keeps data, port and password from start to start, and leaves no process behind", async () => {
    const folder = join(await temporaryFolder(), "postgres");
    const first = await start(folder);
    await query(first, "CREATE TABLE kept AS SELECT 42 AS value");
    await first.close();
    expect(isRunning(first.postmasterPid)).toBe(false);
    const second = await start(folder);
    expect(second.phases).toEqual(["starting", "ready"]);
    expect(second.url).toBe(first.url);
    expect(await query(second, "SELECT value FROM kept")).toEqual([{ value: 42 }]);
  });

  test("closing twice is closing once", async () => {
    const postgres = await start(folder);
    await Promise.all([postgres.close(), postgres.close()]);
    await postgres.close();
    expect(isRunning(postgres.postmasterPid)).toBe(false);
  });

  test("closing does not wait for clients that hold every connection", async () => {
    const postgres = await start(folder);
    const pool = new Pool({ connectionString: postgres.url, max: 97 });
    pool.on("error", () => undefined);
    const clients = await Promise.all(Array.from({ length: 97 }, () => pool.connect()));
    for (const client of clients) client.on("error", () => undefined);
    await postgres.close();
    expect(isRunning(postgres.postmasterPid)).toBe(false);
    for (const client of clients) client.release(true);
    await pool.end();
  });

  test("takes another port when somebody else has the remembered one", async () => {
    const first = await start(folder);
    await first.close();
    const squatter = createServer().listen(Number(portOf(first)), "127.0.0.1");
    onTestFinished(() => void squatter.close());
    await once(squatter, "listening");
    const second = await start(folder);
    expect(portOf(second)).not.toBe(portOf(first));
  });

  test("what people sent does not reach the log of Postgres", async () => {
    const postgres = await start(folder);
    await query(postgres, "CREATE TABLE people (email text UNIQUE)");
    await query(postgres, "INSERT INTO people VALUES ('ada@example.com')");
    const again = query(postgres, "INSERT INTO people VALUES ('ada@example.com')");
    await expect(again).rejects.toThrow("duplicate key");
    await expect(query(postgres, "SELECT 'ada@example.com'::int")).rejects.toThrow("ada@example.com");
    await postgres.close();
    const log = await readFile(join(folder, "postgres.log"), "utf8");
    expect(log).toContain("database system is shut down");
    expect(log).not.toContain("ada");
  });

  test.runIf(process.platform === "linux")(
    "secrets of this process are not in the environment of Postgres",
    async () => {
      process.env["SLUICE_TEST_SECRET"] = "hidden-from-postgres";
      onTestFinished(() => void delete process.env["SLUICE_TEST_SECRET"]);
      const postgres = await start(folder);
      const environment = await readFile(`/proc/${postgres.postmasterPid}/environ`, "utf8");
      expect(environment).toContain("LC_ALL=C");
      expect(environment).not.toContain("hidden-from-postgres");
    },
  );
});

describe("several processes on one folder", () => {
  test("a second owner is refused, with the pid of the first", async () => {
    await start(folder);
    await expect(start(folder)).rejects.toMatchObject({
      code: "DATABASE_IN_USE",
      message: expect.stringMatching(new RegExp(`${folder}.*process ${process.pid}`)),
      details: { pid: process.pid, folder },
    });
  });

  test("of owners that start in the same instant exactly one wins, also when they take over from a dead one", async () => {
    const dead = run(folder, "owner");
    await dead.line("ready");
    await dead.signalGroup("SIGKILL");
    const rivals = Array.from({ length: 4 }, () => run(folder, "owner"));
    const outcomes = await Promise.all(
      rivals.map((rival) =>
        Promise.race([rival.line("ready"), rival.line("error")].map((line) => line.catch(() => never()))),
      ),
    );
    const winners = rivals.filter((_, index) => "url" in outcomes[index]!);
    expect(winners.length).toBe(1);
    const losers = outcomes.filter((outcome) => "code" in outcome);
    expect(losers.map(({ code, details }) => [code, details])).toEqual(
      Array.from({ length: 3 }, () => ["DATABASE_IN_USE", { pid: winners[0]!.pid, folder }]),
    );
    await winners[0]!.signalGroup("SIGINT");
  });

  test("a living process that merely has the pid of a dead owner is no owner, nor is one of a copied folder", async () => {
    await (await start(folder)).close();
    const members = join(folder, "members");
    const { dev, ino } = await stat(members, { bigint: true });
    const claim = { ...identify(process.pid), role: "owner", folder: `${dev}:${ino}` };
    await writeFile(join(members, "1"), JSON.stringify({ ...claim, startedAt: "in another life" }));
    await writeFile(join(members, "2"), JSON.stringify({ ...claim, folder: "1:1" }));
    await writeFile(join(members, "3"), "");
    const postgres = await start(folder);
    expect(await readdir(members)).toHaveLength(1);
    await postgres.close();
    // The same claim without the differences is one.
    await writeFile(join(members, "4"), JSON.stringify(claim));
    await expect(start(folder)).rejects.toMatchObject({ code: "DATABASE_IN_USE" });
    await unlink(join(members, "4"));
  });

  test("the last one out stops the server, whoever started it", async () => {
    const guest = await start(folder, "guest");
    const owner = await start(folder, "owner");
    expect([guest.phases.at(-1), owner.phases.at(-1)]).toEqual(["ready", "adopted"]);
    await owner.close();
    expect(await query(guest, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await guest.close();
    expect(isRunning(guest.postmasterPid)).toBe(false);
  });

  test("a guest that was killed does not keep the server alive", async () => {
    const owner = await start(folder);
    const guest = run(folder, "guest");
    await guest.line("ready");
    await guest.signalGroup("SIGKILL");
    await owner.close();
    expect(isRunning(owner.postmasterPid)).toBe(false);
  });
});

describe("crashes", () => {
  test("the server survives Ctrl-C of the whole group until we have stopped it in order", async () => {
    const service = run(folder, "owner");
    const { postmasterPid } = await service.line("ready");
    await service.signalGroup("SIGINT");
    expect(await service.line("stopped")).toEqual({ answer: 1 });
    expect(isRunning(postmasterPid)).toBe(false);
  });

  test("a service that restarts while the one before is still ending is let in", async () => {
    const service = run(folder, "owner");
    await service.line("ready");
    const next = start(folder);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await service.signalGroup("SIGINT");
    expect((await next).phases.at(-1)).toMatch(/ready|adopted/);
    await (await next).close();
  });

  test("the orphan of a killed service is adopted", async () => {
    const service = run(folder, "owner");
    const { postmasterPid, url } = await service.line("ready");
    await service.signalGroup("SIGKILL");
    const next = await start(folder);
    expect(next.phases).toEqual(["adopted"]);
    expect(next).toMatchObject({ postmasterPid, url });
    await next.close();
    expect(isRunning(postmasterPid)).toBe(false);
  });

  test("after the death of everything the next start finds all that was committed", async () => {
    const service = run(folder, "owner");
    const ready = await service.line("ready");
    await query(ready, "CREATE TABLE kept AS SELECT 42 AS value");
    const slow = query(ready, "SELECT pg_sleep(60)").catch(() => "cut off");
    process.kill(ready.postmasterPid, "SIGKILL");
    await service.signalGroup("SIGKILL");
    const next = await start(folder);
    expect(next.phases).toEqual(["starting", "ready"]);
    expect(next.url).toBe(ready.url);
    expect(await query(next, "SELECT value FROM kept")).toEqual([{ value: 42 }]);
    expect(await slow).toBe("cut off");
  });

  test("a server that dies in use is brought back on the same port", async () => {
    const postgres = await start(folder);
    const { postmasterPid } = postgres;
    process.kill(postmasterPid, "SIGKILL");
    await expect
      .poll(() => postgres.phases, { timeout: 10_000 })
      .toEqual(["starting", "ready", "lost", "starting", "ready"]);
    expect(postgres.postmasterPid).not.toBe(postmasterPid);
    expect(await query(postgres, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("a pid in postmaster.pid that belongs to another program by now confuses nobody", async () => {
    const first = await start(folder);
    const pidFile = join(folder, "data", "postmaster.pid");
    const text = await readFile(pidFile, "utf8");
    await first.close();
    const { uid, gid } = await stat(join(folder, "data"));
    const other = spawn("sleep", ["60"], { stdio: "ignore", ...(isRoot() && { uid, gid }) });
    onTestFinished(() => void other.kill("SIGKILL"));
    await writeFile(pidFile, text.replace(/^\d+/, String(other.pid)));
    const next = await start(folder);
    expect(next.phases).toEqual(["starting", "ready"]);
    await next.close();
    expect(isRunning(other.pid!)).toBe(true);
  });

  test("an empty postmaster.pid, left by a power cut, is passed over", async () => {
    await writeFile(join(folder, "data", "postmaster.pid"), "");
    const postgres = await start(folder);
    expect(postgres.phases).toEqual(["starting", "ready"]);
    await postgres.close();
  });

  test("a first start that was killed midway is done again", async () => {
    const folder = join(await temporaryFolder(), "postgres");
    const service = run(folder, "owner");
    await service.line("phase");
    await expect.poll(async () => (await readdir(folder)).some((name) => name.startsWith("data.new-"))).toBe(true);
    await service.signalGroup("SIGKILL");
    expect(await readdir(folder)).not.toContain("data");
    const next = await start(folder);
    expect(next.phases).toEqual(["preparing", "starting", "ready"]);
    expect((await readdir(folder)).filter((name) => name.startsWith("data"))).toEqual(["data"]);
  });

  test("a copy of a folder in use is a database of its own", async () => {
    const outer = await temporaryFolder();
    const original = await start(join(outer, "original"));
    await original.close();
    const pid = (await start(join(outer, "original"))).postmasterPid;
    await cp(join(outer, "original"), join(outer, "copy"), { recursive: true });
    const copy = await start(join(outer, "copy"));
    expect(copy.postmasterPid).not.toBe(pid);
    expect(isRunning(pid)).toBe(true);
  });
});

describe("what cannot be started", () => {
  test("a damaged cluster: with what Postgres says about it", async () => {
    const folder = join(await temporaryFolder(), "postgres");
    await (await start(folder)).close();
    await writeFile(join(folder, "data", "global", "pg_control"), "");
    await expect(start(folder)).rejects.toMatchObject({
      code: "DATABASE_START_FAILED",
      details: { folder, log: expect.arrayContaining([expect.stringMatching(/FATAL|PANIC/)]) },
    });
    expect(await readdir(join(folder, "members"))).toEqual([]);
  });

  test("a cluster of another major version", async () => {
    const folder = join(await temporaryFolder(), "postgres");
    await (await start(folder)).close();
    await overwrite(join(folder, "data", "PG_VERSION"), "17\n");
    await expect(start(folder)).rejects.toMatchObject({
      code: "DATABASE_START_FAILED",
      message: expect.stringMatching(/made by Postgres 17; the bundled one is 18/),
    });
  });

  test("files that are no cluster: they stay untouched", async () => {
    const folder = join(await temporaryFolder(), "postgres");
    await mkdir(join(folder, "data"), { recursive: true });
    await writeFile(join(folder, "data", "diary.txt"), "dear diary");
    await expect(start(folder)).rejects.toMatchObject({ code: "DATABASE_START_FAILED" });
    expect(await readFile(join(folder, "data", "diary.txt"), "utf8")).toBe("dear diary");
  });

  test("a place where no folder can be made: with the reason of the system", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    await expect(start(join(file, "postgres"))).rejects.toMatchObject({
      code: "DATABASE_FOLDER_UNREACHABLE",
      message: expect.stringContaining("ENOTDIR"),
    });
  });

  test("a stopped server whose password is lost: it is not left running", async () => {
    const folder = join(await temporaryFolder(), "postgres");
    await (await start(folder)).close();
    await unlink(join(folder, "password"));
    await expect(start(folder)).rejects.toMatchObject({
      code: "DATABASE_START_FAILED",
      hint: expect.stringContaining(join(folder, "password")),
    });
    await expect.poll(async () => await readdir(join(folder, "data"))).not.toContain("postmaster.pid");
  });

  test("a running server whose password is lost: it is left running", async () => {
    const folder = join(await temporaryFolder(), "postgres");
    const service = run(folder, "owner");
    const { postmasterPid } = await service.line("ready");
    await writeFile(join(folder, "password"), "wrong\n");
    await expect(start(folder, "guest")).rejects.toMatchObject({
      code: "DATABASE_START_FAILED",
      hint: expect.stringContaining("password"),
    });
    expect(isRunning(postmasterPid)).toBe(true);
    await service.signalGroup("SIGKILL");
    process.kill(postmasterPid, "SIGQUIT");
    await expect.poll(() => isRunning(postmasterPid)).toBe(false);
  });
});

async function overwrite(path: string, text: string): Promise<void> {
  const file = await open(path, "r+");
  await file.write(text, 0);
  await file.close();
}

const never = (): Promise<never> => new Promise(() => undefined);
