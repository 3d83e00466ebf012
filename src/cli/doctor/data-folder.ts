import { access, constants, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { type Check, failing, type Finding, ok, warning } from "./check.ts";

const gigabyte = 1_000_000_000;
/** Postgres alone starts with 40 MB of data and up to 1 GB of write-ahead log. */
const scarceBytes = 2 * gigabyte;
const exhaustedBytes = 0.2 * gigabyte;

/** Whether the data folder can be written, or made, and has room. */
export const dataFolderCheck: Check = {
  name: "data folder",
  async look({ project: { folder } }) {
    const existing = await nearestExisting(folder);
    if (!(await stat(existing)).isDirectory())
      return [failing(`${existing} is a file, not a folder`, "Move it away, or choose another folder with --folder.")];
    const found = existing === folder ? folder : `${folder}, which the first start makes`;
    try {
      await access(existing, constants.W_OK | constants.X_OK);
    } catch (thrown) {
      return [
        failing(
          `${existing} cannot be written (${(thrown as NodeJS.ErrnoException).code ?? "unknown"})`,
          "Give it to the user who runs sluice, or choose another one with --folder.",
        ),
      ];
    }
    return [ok(found), await checkRoom(existing)];
  },
};

async function checkRoom(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const message = `${(freeBytes / gigabyte).toFixed(1)} GB free on its disk`;
  const hint = "Make room, or choose a folder on another disk with --folder.";
  if (freeBytes < exhaustedBytes) return failing(message, hint);
  return freeBytes < scarceBytes ? warning(message, hint) : ok(message);
}

async function nearestExisting(folder: string): Promise<string> {
  try {
    await access(folder);
    return folder;
  } catch {
    const parent = dirname(folder);
    return parent === folder ? folder : nearestExisting(parent);
  }
}
