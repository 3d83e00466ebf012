import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "sluice";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import config from "../../examples/sluice.config.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-start-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const childProcesses = () => process.getActiveResourcesInfo().filter((name) => name === "ProcessWrap");

describe("a start that fails", () => {
  it("leaves no sandbox behind, although that was still starting", async () => {
    const before = childProcesses();
    // Port 1 of this machine: refused at once.
    const environment = { SLUICE_DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" };
    const start = createApp({ config, folder, environment, sandbox: true, log: { write: () => {} } });
    await expect(start).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    await expect.poll(childProcesses, { interval: 10 }).toEqual(before);
  });
});
