import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../src/store/embedded/index.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Address of a Postgres for all tests; each test file makes a database of its own in it. */
    databaseServerUrl: string;
  }
}

/** Starts one bundled Postgres for the whole run, unless SLUICE_TEST_DATABASE_URL names another. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const external = process.env["SLUICE_TEST_DATABASE_URL"];
  if (external) {
    project.provide("databaseServerUrl", external);
    return async () => {};
  }
  const folder = await mkdtemp(join(tmpdir(), "sluice-test-"));
  // As root, Postgres runs as another user, who must be able to enter.
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataFolder: join(folder, "postgres"), role: "owner" });
  project.provide("databaseServerUrl", postgres.url);
  return async () => {
    await postgres.close();
    await rm(folder, { recursive: true, force: true });
  };
}
