import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/index.ts";
import type { Binaries } from "./binaries.ts";
import type { Layout } from "./layout.ts";
import { giveAway, readIfPresent, syncFolder, writeOwnedFile } from "./owned-files.ts";
import { runProgram, type ProgramResult } from "./run-program.ts";

/** The database in the cluster, and the role that owns it and that everybody connects as. */
export const databaseName = "sluice";

/** A cluster under construction; it becomes `data` in one rename, so that a half-made one is never taken for whole. */
const draftPrefix = "data.new-";

/** Whether there is a cluster, or only something to be cleared away. */
export function hasCluster(layout: Layout): boolean {
  return existsSync(join(layout.data, "PG_VERSION"));
}

/**
 * Makes the cluster with its database. Whatever an interrupted attempt left behind is removed first. Call it inside the gate.
 *
 * @throws DATABASE_START_FAILED with the last lines that initdb printed
 */
export async function createCluster(layout: Layout, binaries: Binaries): Promise<void> {
  await clearDrafts(layout);
  await refuseForeignData(layout);
  const draft = join(layout.home, draftPrefix + randomUUID());
  await mkdir(draft, { mode: 0o700 });
  if (layout.user !== undefined) await giveAway(draft, layout.user.uid, layout.user.gid);
  await initialise(layout, binaries, draft);
  await rename(draft, layout.data);
  await syncFolder(layout.home);
}

async function clearDrafts(layout: Layout): Promise<void> {
  const drafts = (await readdir(layout.home)).filter((name) => name.startsWith(draftPrefix));
  // An initdb whose parent was killed may still be writing there, hence the retries.
  const options = { recursive: true, force: true, maxRetries: 5 } as const;
  await Promise.all(drafts.map((name) => rm(join(layout.home, name), options)));
}

async function refuseForeignData({ data }: Layout): Promise<void> {
  if (!existsSync(data) || (await readdir(data)).length === 0) return;
  throw new SluiceError("DATABASE_START_FAILED", {
    message: `${data} holds files but no Postgres cluster (PG_VERSION is missing); nothing was touched`,
    hint: "Move what is in there away, restore it completely, or choose another data folder.",
  });
}

async function initialise({ user, passwordFile }: Layout, binaries: Binaries, draft: string): Promise<void> {
  const password = randomBytes(24).toString("base64url");
  await writeOwnedFile(passwordFile, `${password}\n`, 0o600);
  const options = { user };
  check("initdb", await runProgram(binaries.initdb, [...initdbArguments, "-D", draft], options));
  const single = ["--single", "-F", "-c", "log_min_error_statement=panic", "-D", draft, "postgres"];
  const input = firstStatements(password).join("\n");
  await writeFile(join(draft, "pg_hba.conf"), accessRule);
  check("postgres --single", await runProgram(binaries.postgres, single, { user, input }));
  // Everything above ran without waiting for the disk; here the whole cluster is made durable at once.
  check("initdb --sync-only", await runProgram(binaries.initdb, ["--sync-only", "-D", draft], options));
}

/** Text is UTF-8 and sorts by code point on every system; the builtin provider also knows upper and lower case of all. */
const initdbArguments = [
  "--username=postgres",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--text-search-config=english",
  // Never served with it: pg_hba.conf is replaced before the first start.
  "--auth=trust",
  "--no-sync",
  "--no-instructions",
];

/** With a password and from this machine only; the role "postgres" has no password and so cannot sign in at all. */
const accessRule = "host all all 127.0.0.1/32 scram-sha-256\n";

/** One statement a line. They make the role of the service, which is no superuser: that could run programs. */
function firstStatements(password: string): string[] {
  return [
    `CREATE ROLE ${databaseName} LOGIN CREATEDB PASSWORD '${password}'`,
    // To see the data directory and so to know the server again after a crash of ours.
    `GRANT pg_read_all_settings TO ${databaseName}`,
    `CREATE DATABASE ${databaseName} OWNER ${databaseName}`,
    "",
  ];
}

function check(program: string, { exitCode, output }: ProgramResult): void {
  // postgres --single ends with 0 although a statement failed.
  if (exitCode === 0 && !/\b(?:ERROR|FATAL|PANIC):/.test(output)) return;
  throw new SluiceError("DATABASE_START_FAILED", {
    message: `${program} failed (exit code ${exitCode ?? "none"}) while the database was being made`,
    hint: "The details have its last lines. Is there space on the disk, and is it a local one?",
    details: { log: output.trim().split("\n").slice(-10) },
  });
}

/**
 * Makes sure that an existing cluster can be started by these binaries and by this user.
 *
 * @throws DATABASE_START_FAILED when another major version of Postgres made it
 */
export async function checkCluster(layout: Layout, binaries: Binaries): Promise<void> {
  const major = (await readIfPresent(join(layout.data, "PG_VERSION")))?.trim();
  if (major !== binaries.major) {
    throw new SluiceError("DATABASE_START_FAILED", {
      message: `the data in ${layout.data} was made by Postgres ${major ?? "unknown"}; the bundled one is ${binaries.major}`,
      hint: "Install the version of Sluice that made the data, or run that Postgres yourself and set SLUICE_DATABASE_URL.",
    });
  }
  // Data that root restored or copied by hand.
  const { user } = layout;
  if (user !== undefined && (await stat(layout.data)).uid === 0) await giveAway(layout.data, user.uid, user.gid);
}
