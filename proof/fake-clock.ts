import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** The wall clock of a process, which can be set while the process runs. Its monotonic clock, and with it timers, stay right. */
export interface FakeClock {
  /** To be put into the environment of the process. */
  readonly variables: { readonly [name: string]: string };
  /** What the process takes for now. */
  now(): Date;
  /** Sets the clock so far from the right time; at once. */
  setOffset(seconds: number): Promise<void>;
}

/**
 * Makes a clock by libfaketime. Gives a sentence why when this machine has none that works.
 *
 * @param file a file of its own for each clock.
 * @see https://github.com/wolfcw/libfaketime (FAKETIME_TIMESTAMP_FILE, FAKETIME_NO_CACHE, FAKETIME_DONT_FAKE_MONOTONIC)
 */
export async function createFakeClock(file: string): Promise<FakeClock | string> {
  const library = await findLibrary();
  if (library === undefined) return "libfaketime is not installed (Debian: apt-get install faketime)";
  const variables = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  let offsetMs = 0;
  const clock: FakeClock = {
    variables,
    now: () => new Date(Date.now() + offsetMs),
    async setOffset(seconds) {
      await writeFile(file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
      offsetMs = seconds * 1000;
    },
  };
  await clock.setOffset(3600);
  const { stdout } = await promisify(execFile)(process.execPath, ["-p", "Date.now()"], {
    env: { ...process.env, ...variables },
  });
  await clock.setOffset(0);
  const aheadMs = Number(stdout) - Date.now();
  return Math.abs(aheadMs - 3_600_000) < 60_000 ? clock : `libfaketime (${library}) does not set the clock of Node`;
}

/** Debian has it in a folder of its own below that of the machine's libraries, others below lib or lib64. */
async function findLibrary(): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  const machines = (await readdir("/usr/lib")).filter((name) => name.endsWith("-linux-gnu"));
  const folders = [...machines.map((name) => join("/usr/lib", name)), "/usr/lib", "/usr/lib64", "/usr/local/lib"];
  return folders.map((folder) => join(folder, "faketime", "libfaketimeMT.so.1")).find((path) => existsSync(path));
}
