import { randomBytes } from "node:crypto";
import { link, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SluiceError } from "../core/index.ts";
import { keyBytes } from "./content-keys.ts";
import { draftOwnedFile, makeOwnedFolder, readIfPresent, syncFolder, unlinkIfPresent } from "./embedded/owned-files.ts";

/** What {@link openMasterKey} takes. */
export interface MasterKeyOptions {
  readonly environment: { readonly [name: string]: string | undefined };
  /** Where the data of the installation lies. */
  readonly folder: string;
}

/**
 * Gives the key-encryption key of an installation, 32 bytes: `SLUICE_KEY` when it is set, else that of the file `key` in the
 * data folder, which is made on first use and readable by its owner only.
 *
 * @throws KEY_INVALID when it is not 32 bytes in base64 or hexadecimal digits, or the file cannot be read or made.
 */
export async function openMasterKey({ environment, folder }: MasterKeyOptions): Promise<Buffer> {
  const given = environment["SLUICE_KEY"]?.trim();
  if (given) return parseKey(given, "SLUICE_KEY");
  const file = join(folder, "key");
  try {
    return parseKey(((await readIfPresent(file)) ?? (await makeKeyFile(file))).trim(), file);
  } catch (thrown) {
    throw thrown instanceof SluiceError ? thrown : notUsable(file, thrown);
  }
}

/** @param origin where the text comes from; the text itself is never told. */
function parseKey(text: string, origin: string): Buffer {
  const isHex = /^[\da-f]{64}$/i.test(text);
  const isBase64 = /^[\w+/-]{43}=?$/.test(text);
  if (isHex || isBase64) return Buffer.from(text, isHex ? "hex" : "base64");
  throw new SluiceError("KEY_INVALID", {
    message: `${origin} is not a key: it has ${text.length} characters, expected ${keyBytes} bytes in base64 (44) or hexadecimal digits (64)`,
    hint: "Put the right key there. For a new installation make one with: openssl rand -base64 32",
  });
}

/** Whoever is first makes the key: it is whole and on disk before it can be seen, and none that is there is replaced. */
async function makeKeyFile(file: string): Promise<string> {
  // The user of the embedded Postgres, another one when this is root, has to pass through.
  await makeOwnedFolder(dirname(file), 0o711);
  const draft = await draftOwnedFile(file, `${randomBytes(keyBytes).toString("base64")}\n`, 0o600, true);
  try {
    // Unlike a rename, this fails when another process has made a key meanwhile.
    await link(draft, file).catch((thrown: unknown) => {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST")) throw thrown;
    });
    await syncFolder(dirname(file));
  } finally {
    await unlinkIfPresent(draft);
  }
  return readFile(file, "utf8");
}

function notUsable(file: string, thrown: unknown): SluiceError {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
  return new SluiceError("KEY_INVALID", {
    message: `the key file ${file} cannot be read or made (${code})`,
    hint: "Let the service's user read and write the data folder, or set SLUICE_KEY.",
    cause: thrown,
  });
}
