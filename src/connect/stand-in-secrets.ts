import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Secrets for working with the sandbox, where nobody has set real ones: made up at random for each name, and kept in a
 * file that only its owner can read, so that senders of test deliveries can sign with them. Never used in production.
 *
 * @param names all secrets that the application may ask for.
 * @returns an environment that holds a value for each name; `whsec_` and base 64, which every scheme of shared secrets takes.
 */
export async function openStandInSecrets(
  file: string,
  names: readonly string[],
): Promise<{ readonly [name: string]: string }> {
  const known = await readKnown(file);
  const missing = names.filter((name) => known[name] === undefined);
  if (missing.length === 0) return known;
  const made = missing.map((name) => [name, `whsec_${randomBytes(32).toString("base64")}`] as const);
  const all = { ...known, ...Object.fromEntries(made) };
  await mkdir(dirname(file), { recursive: true });
  // Written beside and renamed, so that a process that dies here leaves the old file whole.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
  return all;
}

async function readKnown(file: string): Promise<{ readonly [name: string]: string }> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as { [name: string]: string };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}
