import { randomBytes, randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxCredentials } from "./exchange.ts";

/**
 * The credentials of a sandbox's folder: made at its first start and the same ever after, so that a connection set up
 * once keeps working; what an older sandbox did not have is added. They have the vendors' shapes, so that whatever looks
 * for leaked secrets sees them.
 */
export async function readOrMakeCredentials(folder: string): Promise<SandboxCredentials> {
  const file = join(folder, "credentials.json");
  const kept = await readCredentials(file);
  const made: SandboxCredentials = {
    slackToken: `xoxb-sandbox-${randomBytes(18).toString("hex")}`,
    hubspotToken: `pat-eu1-${randomUUID()}`,
    openaiKey: `sk-sandbox-${randomBytes(24).toString("hex")}`,
    anthropicKey: `sk-ant-sandbox-${randomBytes(24).toString("hex")}`,
    cohereKey: randomBytes(20).toString("hex"),
    ...kept,
  };
  if (Object.keys(made).length === Object.keys(kept).length) return made;
  // Whole or not at all: a process that dies here leaves no half of a file.
  await writeFile(`${file}.new`, JSON.stringify(made), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}

async function readCredentials(file: string): Promise<Partial<SandboxCredentials>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Partial<SandboxCredentials>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
