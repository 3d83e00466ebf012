import { readdir, readFile } from "node:fs/promises";

/*
 * What a process and all that descend from it take. Linux only; processes of other users can be measured by root alone.
 */

/**
 * Memory in megabytes of 10^6 bytes: the proportional set size, in which a page that several processes share counts once.
 *
 * @see https://docs.kernel.org/filesystems/proc.html (smaps_rollup)
 */
export async function treeMb(pid: number): Promise<{ readonly rootMb: number; readonly childrenMb: number }> {
  const [root = NaN, ...children] = await Promise.all((await listTree(pid)).map(pssMb));
  return { rootMb: root, childrenMb: children.reduce((sum, mb) => sum + mb, 0) };
}

/** Processor time in milliseconds that they have taken so far, ended ones included. */
export async function treeCpuMs(pid: number): Promise<{ readonly rootMs: number; readonly childrenMs: number }> {
  const [root = NaN, ...children] = await Promise.all((await listTree(pid)).map(cpuMs));
  return { rootMs: root, childrenMs: children.reduce((sum, ms) => sum + ms, 0) };
}

/** The process itself comes first. */
async function listTree(pid: number): Promise<number[]> {
  const parents = await readParents();
  const tree = new Set([pid]);
  for (let size = 0; size !== tree.size;) {
    size = tree.size;
    for (const [child, parent] of parents) if (tree.has(parent)) tree.add(child);
  }
  return [...tree];
}

async function readParents(): Promise<Map<number, number>> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(
    pids.map(async (pid) => {
      // A process that ends meanwhile has none.
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      return [pid, Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0)] as const;
    }),
  );
  return new Map(entries);
}

async function pssMb(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "Pss: 0 kB");
  return (Number(/^Pss:\s*(\d+) kB/m.exec(rollup)?.[1] ?? NaN) * 1024) / 1e6;
}

/** A tick of these clocks is 10 ms on every Linux that Node runs on. */
const tickMs = 10;

/**
 * User and system time of a process, and of its children that have ended and were waited for.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The second field is the program's name in brackets, which may hold spaces; the 14th to 17th are the times.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * tickMs, 0);
}
