import { readdir, readFile } from "node:fs/promises";

/**
 * Memory of a process and all that descend from it, in megabytes of 10^6 bytes: the proportional set size, in which a
 * page that several processes share counts once. Linux only; processes of other users can be measured by root alone.
 *
 * @see https://docs.kernel.org/filesystems/proc.html (smaps_rollup)
 */
export async function treeMb(pid: number): Promise<{ readonly rootMb: number; readonly childrenMb: number }> {
  const parents = await readParents();
  const tree = new Set([pid]);
  for (let size = 0; size !== tree.size;) {
    size = tree.size;
    for (const [child, parent] of parents) if (tree.has(parent)) tree.add(child);
  }
  tree.delete(pid);
  const children = await Promise.all([...tree].map(pssMb));
  return { rootMb: await pssMb(pid), childrenMb: children.reduce((sum, mb) => sum + mb, 0) };
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
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return (Number(/^Pss:\s*(\d+) kB/m.exec(rollup)?.[1] ?? NaN) * 1024) / 1e6;
}
