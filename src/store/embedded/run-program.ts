import { spawn } from "node:child_process";
import { once } from "node:events";
import type { SystemUser } from "./system-user.ts";

/** What came of a program that ran to its end. */
export interface ProgramResult {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  /** What it printed on both outputs. */
  readonly output: string;
}

/** How a program of Postgres is started: as that user, reading those lines. */
export interface ProgramOptions {
  readonly user: SystemUser | undefined;
  readonly input?: string;
}

/** Runs one of the Postgres programs to its end. Rejects when it cannot be started at all. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  const child = spawn(program, args, { ...spawnOptions(options.user), stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  // A program that ends without reading gives EPIPE here; its exit code says why.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, output };
}

/** A session of its own, because Ctrl-C in a terminal reaches every process of the foreground group. */
export function spawnOptions(user: SystemUser | undefined): {
  readonly detached: true;
  readonly windowsHide: true;
  readonly cwd: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
} {
  // The folder we stand in may be closed to that user.
  const cwd = process.platform === "win32" ? undefined : "/";
  return { ...user, detached: true, windowsHide: true, cwd, env: cleanEnvironment() };
}

/** Keys and secrets of this process have no business in Postgres, and PGDATA, PGPORT and the like would mislead it. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = ["PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LC_ALL: "C", TZ: "UTC" };
}
