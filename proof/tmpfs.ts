import { execFile } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A small disk in memory. */
export interface SmallDisk {
  /** Takes all that is free, and also what became free since the last time. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  /** Takes the disk away with everything on it; nothing may use it any more. */
  unmount(): Promise<void>;
}

/** Largest and smallest piece in which the free space is taken. */
const pieces = [1 << 20, 1 << 12];

/** Mounts a small disk at a folder, which is made. Gives a sentence why when this machine does not let us. */
export async function mountSmallDisk(folder: string, sizeMb: number): Promise<SmallDisk | string> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "mounting a tmpfs takes Linux and root";
  await mkdir(folder, { recursive: true });
  try {
    // Others may enter: as root, Postgres runs as another user.
    await run("mount", ["-t", "tmpfs", "-o", `size=${sizeMb}m,mode=0711`, "sluice-proof", folder]);
  } catch (error) {
    const { stderr = "" } = error as { readonly stderr?: string };
    return `no tmpfs could be mounted: ${stderr.trim() || "mount failed"}`;
  }
  const ballast = join(folder, "ballast");
  return {
    fill: () => append(ballast),
    free: () => rm(ballast, { force: true }),
    async unmount() {
      for (let tries = 0; tries < 50; tries += 1) {
        const isGone = await run("umount", [folder]).then(
          () => true,
          () => false,
        );
        if (isGone) return;
        await setTimeout(100);
      }
      // Something still uses it: it goes away with its last user.
      await run("umount", ["--lazy", folder]);
    },
  };
}

/** Appends zeros until not even the smallest piece fits. */
async function append(path: string): Promise<void> {
  const file = await open(path, "a");
  try {
    for (const size of pieces) {
      const piece = Buffer.alloc(size);
      // A piece that fits in part only is written in part, and the next one fails.
      for (let hasRoom = true; hasRoom;) hasRoom = await file.write(piece).then(() => true, isNotFull);
    }
  } finally {
    await file.close();
  }
}

function isNotFull(error: NodeJS.ErrnoException): false {
  if (error.code === "ENOSPC") return false;
  throw error;
}
