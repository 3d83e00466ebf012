import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LeakReport } from "./leak.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-leak-"));
  await chmod(folder, 0o711);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Processes are counted in /proc. */
describe.skipIf(process.platform !== "linux")("an application that was closed", () => {
  it("leaves no socket, no timer, no file and no process, and lets its process end by itself", () => {
    const script = fileURLToPath(new URL("leak.ts", import.meta.url));
    const child = spawnSync(process.execPath, ["--conditions=sluice-source", script, folder], {
      encoding: "utf8",
      timeout: 15_000,
    });
    expect(child.stderr).toBe("");
    expect(child.status).toBe(0);
    const report = JSON.parse(child.stdout) as LeakReport;
    // While it ran there was something to leave behind.
    expect(report.during.resources.length).toBeGreaterThan(report.before.resources.length);
    expect(report.during.processes).toBeGreaterThan(3);
    expect(report.after).toEqual({ ...report.before, processes: 0 });
  });
});
