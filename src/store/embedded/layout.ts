import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { SluiceError } from "../../core/index.ts";
import { isRoot, makeOwnedFolder, readIfPresent, writeOwnedFile } from "./owned-files.ts";
import { canEnter, chooseSystemUser, type SystemUser } from "./system-user.ts";

/** Where everything of one database lies, and who runs it. */
export interface Layout {
  /** The folder that was asked for, or the place that stands in for it. Real path. */
  readonly home: string;
  /** The cluster: what Postgres calls its data directory. Belongs to {@link Layout.user}. */
  readonly data: string;
  readonly passwordFile: string;
  readonly stateFile: string;
  readonly logFile: string;
  readonly membersFolder: string;
  readonly gateFolder: string;
  /** Where a copy of the binaries goes when those in node_modules cannot be used. */
  readonly binariesFolder: string;
  /** `undefined`: Postgres runs as the user of this process. */
  readonly user: SystemUser | undefined;
  /** The folder asked for could not be entered by the user of Postgres, so that the data lies elsewhere. */
  readonly isRelocated: boolean;
}

/** Where root's databases go when the asked folder is closed to the user of Postgres. */
const systemFolder = "/var/lib/sluice";

const pointerName = "location.json";

/** Written into the asked folder when the data lies elsewhere. */
interface Pointer {
  readonly movedTo: string;
  /** The real path of the folder that holds this pointer; tells a copied folder from the first one. */
  readonly from: string;
}

/**
 * Finds or makes the folders of a database.
 *
 * @param relocateTo default /var/lib/sluice; only root ever needs it
 * @throws DATABASE_FOLDER_UNREACHABLE
 */
export async function prepareLayout(dataFolder: string, relocateTo = systemFolder): Promise<Layout> {
  await makeOwnedFolder(resolve(dataFolder), homeMode());
  const asked = await realpath(dataFolder);
  const home = await chooseHome(asked, relocateTo);
  const user = await userOf(home);
  const layout = describe(home, asked, user, relocateTo);
  if (user !== undefined && !(await canEnter(home, user))) throw closedTo(home, user);
  await makeOwnedFolder(layout.membersFolder, 0o700);
  await makeOwnedFolder(layout.gateFolder, 0o700);
  return layout;
}

function describe(home: string, asked: string, user: SystemUser | undefined, relocateTo: string): Layout {
  const isRelocated = home !== asked;
  return {
    home,
    data: join(home, "data"),
    passwordFile: join(home, "password"),
    stateFile: join(home, "state.json"),
    logFile: join(home, "postgres.log"),
    membersFolder: join(home, "members"),
    gateFolder: join(home, "gate"),
    binariesFolder: user === undefined ? join(home, "binaries") : join(relocateTo, "binaries"),
    user,
    isRelocated,
  };
}

/** The user of Postgres must pass through root's folder, but need not see what is in it. */
function homeMode(): number {
  return isRoot() ? 0o711 : 0o700;
}

async function chooseHome(asked: string, relocateTo: string): Promise<string> {
  // Data that is there is used where it is, whatever else would be better.
  if (existsSync(join(asked, "data"))) return asked;
  const moved = await followPointer(asked);
  if (moved !== undefined) return moved;
  const user = await userOf(asked);
  if (user === undefined || (await canEnter(asked, user))) return asked;
  const home = join(relocateTo, await nameFor(asked));
  await makeOwnedFolder(relocateTo, 0o755);
  await makeOwnedFolder(home, homeMode());
  await writePointer(asked, home);
  return home;
}

/** The same for all who ask at once. The inode is in it because the path may be given to a new project one day. */
async function nameFor(asked: string): Promise<string> {
  const { dev, ino } = await stat(asked, { bigint: true });
  return createHash("sha256").update(`${asked}\0${dev}:${ino}`).digest("hex").slice(0, 16);
}

async function userOf(home: string): Promise<SystemUser | undefined> {
  const data = join(home, "data");
  return await chooseSystemUser([...(existsSync(data) ? [await stat(data)] : []), await stat(home)]);
}

/** Where the pointer of this folder leads; `undefined` when it has none, or a copied one that is another folder's. */
async function followPointer(asked: string): Promise<string | undefined> {
  const pointer = await readPointer(asked);
  if (pointer === undefined) return undefined;
  if (pointer.from !== asked) {
    if (existsSync(join(pointer.from, pointerName))) return undefined;
    await writePointer(asked, pointer.movedTo);
  }
  if (existsSync(pointer.movedTo)) return pointer.movedTo;
  // Going on would silently begin with an empty database.
  throw new SluiceError("DATABASE_FOLDER_UNREACHABLE", {
    message: `${join(asked, pointerName)} says that the data lies in ${pointer.movedTo}, which is not there`,
    hint: `Bring ${pointer.movedTo} back, or remove ${join(asked, pointerName)} to begin with an empty database.`,
  });
}

async function readPointer(folder: string): Promise<Pointer | undefined> {
  const text = await readIfPresent(join(folder, pointerName));
  return text === undefined ? undefined : (JSON.parse(text) as Pointer);
}

async function writePointer(asked: string, home: string): Promise<void> {
  const pointer: Pointer = { movedTo: home, from: asked };
  await writeOwnedFile(join(asked, pointerName), `${JSON.stringify(pointer)}\n`);
}

function closedTo(home: string, user: SystemUser): SluiceError {
  return new SluiceError("DATABASE_FOLDER_UNREACHABLE", {
    message: `Postgres cannot run as root, and user ${user.uid} that it would run as may not enter ${home}`,
    hint: `Let that user pass (chmod o+x on ${home} and the folders above it), or choose another data folder.`,
  });
}

/** Gives an error of the file system its code, the folder and what to do; any other error as it is. */
export function toFolderError(dataFolder: string, thrown: unknown): unknown {
  const { code, path, syscall } = thrown as NodeJS.ErrnoException;
  if (thrown instanceof SluiceError || path === undefined || syscall?.startsWith("spawn")) return thrown;
  return new SluiceError("DATABASE_FOLDER_UNREACHABLE", {
    message: `the data folder ${dataFolder} cannot be used: ${code} at ${path}`,
    hint: "Choose a data folder on a local disk that belongs to the user who runs Sluice, or set SLUICE_DATABASE_URL.",
    cause: thrown,
  });
}
