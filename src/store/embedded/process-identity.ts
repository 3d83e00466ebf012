import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process, told apart from a later one that got the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process began, in the words of the operating system. `null` where it cannot be found out. */
  readonly startedAt: string | null;
}

/** The process that has this pid now. */
export function identify(pid: number): ProcessIdentity {
  return { pid, startedAt: lookUp(pid)?.startedAt ?? null };
}

/**
 * Whether that process still runs. A zombie does not. A process that may not be looked at counts as running, because
 * the callers take something away from the dead.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = lookUp(identity.pid);
  if (now === undefined) return false;
  return now.startedAt === null || identity.startedAt === null || now.startedAt === identity.startedAt;
}

/** Reads an identity that was stored as JSON; `undefined` for the empty or torn file that a power cut can leave. */
export function parseIdentity(text: string | undefined): ProcessIdentity | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text ?? "") as Partial<ProcessIdentity>;
    return typeof pid === "number" ? { pid, startedAt: startedAt ?? null } : undefined;
  } catch {
    return undefined;
  }
}

/** The command line of a running process; empty while it is being torn down, `undefined` when it cannot be read. */
export function commandLineOf(pid: number): readonly string[] | undefined {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
    if (process.platform !== "win32") return [runPs(pid, "command=").trim()].filter(Boolean);
  } catch {
    // Gone in between, or hidden from us: either way nothing is known about it.
  }
  return undefined;
}

/** The state letter and the start time (clock ticks since boot) in the text of `/proc/<pid>/stat`. */
export function parseProcessStat(text: string): { readonly state: string; readonly startTicks: string } {
  // The second field is the program's name in brackets; the name may hold spaces and brackets itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", startTicks: fields[19] ?? "" };
}

function lookUp(pid: number): { readonly startedAt: string | null } | undefined {
  if (!exists(pid)) return undefined;
  try {
    if (process.platform === "linux") return lookUpLinux(pid);
    if (process.platform !== "win32") return lookUpByPs(pid);
  } catch {
    // It died since the first look, or /proc is hidden from us: ask the kernel once more.
    return exists(pid) ? { startedAt: null } : undefined;
  }
  return { startedAt: null };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function lookUpLinux(pid: number): { readonly startedAt: string } | undefined {
  const { state, startTicks } = parseProcessStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (state === "Z" || state === "X") return undefined;
  // Ticks count from boot, so that after a reboot the same pair of pid and ticks can come back.
  return { startedAt: `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}:${startTicks}` };
}

function lookUpByPs(pid: number): { readonly startedAt: string } | undefined {
  const [state, ...started] = runPs(pid, "state=,lstart=").trim().split(/\s+/);
  return state?.startsWith("Z") ? undefined : { startedAt: started.join(" ") };
}

function runPs(pid: number, columns: string): string {
  return execFileSync("ps", ["-ww", "-o", columns, "-p", String(pid)], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
    stdio: ["ignore", "pipe", "ignore"],
  });
}
