import { randomBytes, randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxCredentials } from "./exchange.ts";

/**
 * The credentials of a sandbox's folder: made at its first start and the same ever after, so that a connection set up
 * once keeps working. They have the vendors' shapes, so that whatever looks for leaked secrets sees them.
 */
export async function readOrMakeCredentials(folder: string): Promise<SandboxCredentials> {
  const file = join(folder, "credentials.json");
  try {
    return JSON.parse(await readFile(file, "utf8")) as SandboxCredentials;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const made: SandboxCredentials = {
    slackToken: `xoxb-sandbox-${randomBytes(18).toString("hex")}`,
    hubspotToken: `pat-eu1-${randomUUID()}`,
    openaiKey: `sk-sandbox-${randomBytes(24).toString("hex")}`,
  };
  // Whole or not at all: a process that dies here leaves no half of a file.
  await writeFile(`${file}.new`, JSON.stringify(made), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}
