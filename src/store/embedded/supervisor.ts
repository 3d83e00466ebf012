/*
 * The bundled Postgres as one process of ours sees it. Several processes may share it; the server is nobody's child in
 * any sense that matters: it outlives the process that started it, and whoever comes next takes it over.
 *
 *   (no data) --initdb into a draft, rename--> stopped          only inside the gate, as every arrow here
 *   stopped   --start--> ready                                  "starting", then "ready"
 *   (alive)   --recognised by its data folder--> ready          "adopted": another process's, or the orphan of a killed one
 *   ready     --the server dies--> lost --start or adopt--> ready   by every process that is left, the first one starts it
 *   ready     --close(), others are left--> closed              the server goes on for them
 *   ready     --close(), last one out--> stopped                fast shutdown
 *   ready     --kill -9 of this process--> (alive)              its entry in the list of members counts for nothing
 *
 * The gate (gate.ts) orders joining, starting, stopping and leaving among processes; the list of members (members.ts)
 * tells who is left.
 */
import { SluiceError, toSluiceError } from "../../core/index.ts";
import { connectionUrl } from "./ask-server.ts";
import { findBinariesPackage, prepareBinaries } from "./binaries.ts";
import { checkCluster, createCluster, hasCluster } from "./cluster.ts";
import { withGate } from "./gate.ts";
import { prepareLayout, toFolderError, type Layout } from "./layout.ts";
import { enter, leave, type Role } from "./members.ts";
import { findPostmaster, startPostmaster, stopPostmaster, type Postmaster } from "./postmaster.ts";
import { isAlive } from "./process-identity.ts";
import { boundLog } from "./server-log.ts";

/**
 * What is happening, for a line of progress:
 * - `relocated`: as root, and the user of Postgres cannot enter the asked folder: the data lies elsewhere, see {@link EmbeddedPostgres.folder}
 * - `preparing`: first start, the cluster is being made (about a second, several on a busy machine)
 * - `starting`: the server is being started
 * - `ready`: it accepts connections and was started by this process
 * - `adopted`: it accepts connections and was running already
 * - `lost`: the server died while in use; `starting` and `ready`, or `adopted`, follow
 */
export type EmbeddedPhase = "relocated" | "preparing" | "starting" | "ready" | "adopted" | "lost";

/** What {@link startEmbeddedPostgres} needs to know. */
export interface EmbeddedOptions {
  /** For example `<project>/.sluice/postgres`; made when absent. */
  readonly dataFolder: string;
  /**
   * "owner": the one service of this folder; a second one is refused while the first lives (after two seconds, in case
   * the first is just ending).
   * "guest": commands and further workers; any number of them, with or without an owner.
   */
  readonly role: Role;
  readonly onProgress?: (phase: EmbeddedPhase) => void;
  /** Told when a lost server could not be brought back; it is tried again every second. Default: nobody is told. */
  readonly onFailure?: (error: SluiceError) => void;
}

/** The running bundled Postgres, in use by the holder until `close()`. */
export interface EmbeddedPostgres {
  /** Address with the password in it; stays the same from start to start unless somebody else takes the port. */
  readonly url: string;
  /** Version of the server, "18.4". */
  readonly version: string;
  /** Where the data really lies: real path of the asked folder, or the place that stands in for it. */
  readonly folder: string;
  /** The main process of the server; its children are its other processes. */
  readonly postmasterPid: number;
  /**
   * Gives the database up. The last one out stops the server, and then its end is waited for. Idempotent.
   *
   * @throws DATABASE_UNAVAILABLE when the server does not stop
   */
  close(): Promise<void>;
}

const watchEveryMs = 1_000;

/**
 * Starts the bundled Postgres of a folder, or joins it when it is running already.
 *
 * The server has a session of its own, so that Ctrl-C reaches only the caller, who ends with `close()`. After kill -9 of
 * the caller it runs on, and the next caller adopts it. When the server itself dies it is started again on the same port.
 *
 * @throws DATABASE_IN_USE when the role is "owner" and a living process has it and keeps it for two more seconds
 * @throws DATABASE_BINARIES_MISSING when there is no Postgres for this machine in node_modules, or it does not run
 * @throws DATABASE_FOLDER_UNREACHABLE when the folder cannot be made, entered or written
 * @throws DATABASE_START_FAILED with the last lines of the log of Postgres in `details.log`
 *
 * @example
 * const postgres = await startEmbeddedPostgres({ dataFolder: ".sluice/postgres", role: "owner" });
 * try {
 *   await serve(postgres.url);
 * } finally {
 *   await postgres.close();
 * }
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  try {
    const layout = await prepareLayout(options.dataFolder);
    if (layout.isRelocated) options.onProgress?.("relocated");
    return await join(layout, options);
  } catch (error) {
    throw toSluiceError(toFolderError(options.dataFolder, error), "DATABASE_START_FAILED", true);
  }
}

async function join(layout: Layout, options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const memberFile = await enter(layout, options.role);
  try {
    const { server, how } = await withGate(layout.gateFolder, () => ensureRunning(layout, options.onProgress));
    const url = await connectionUrl(layout.passwordFile, server.port);
    options.onProgress?.(how);
    return new Supervisor({ layout, memberFile, server, url, options });
  } catch (error) {
    // A server that we could not make sense of is not ours to stop.
    await leave(layout, memberFile, async () => undefined);
    throw error;
  }
}

interface Running {
  readonly server: Postmaster;
  /** The phase that the caller reports once it has taken the server over. */
  readonly how: "ready" | "adopted";
}

/** Finds or starts the server; call it inside the gate. */
async function ensureRunning(layout: Layout, onProgress: EmbeddedOptions["onProgress"]): Promise<Running> {
  const running = await findPostmaster(layout);
  if (running !== undefined) return { server: running, how: "adopted" };
  const binaries = await prepareBinaries({
    packageFolder: findBinariesPackage(),
    copiesFolder: layout.binariesFolder,
    user: layout.user,
  });
  if (hasCluster(layout)) {
    await checkCluster(layout, binaries);
  } else {
    onProgress?.("preparing");
    await createCluster(layout, binaries);
  }
  onProgress?.("starting");
  return { server: await startPostmaster(layout, binaries), how: "ready" };
}

interface SupervisorParts {
  readonly layout: Layout;
  readonly memberFile: string;
  readonly server: Postmaster;
  readonly url: string;
  readonly options: EmbeddedOptions;
}

class Supervisor implements EmbeddedPostgres {
  readonly url: string;
  readonly folder: string;
  readonly #parts: SupervisorParts;
  readonly #timer: NodeJS.Timeout;
  #server: Postmaster;
  #isLost = false;
  /** The look at the server that is under way. */
  #watching: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#server = parts.server;
    this.url = parts.url;
    this.folder = parts.layout.home;
    this.#timer = setInterval(() => this.#watch(), watchEveryMs).unref();
  }

  get version(): string {
    return this.#server.version;
  }

  get postmasterPid(): number {
    return this.#server.identity.pid;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#watching;
    const { layout, memberFile } = this.#parts;
    try {
      await leave(layout, memberFile, () => stopPostmaster(layout));
    } catch (error) {
      throw toSluiceError(toFolderError(layout.home, error), "DATABASE_UNAVAILABLE", true);
    }
  }

  #watch(): void {
    this.#watching ??= this.#look()
      .catch((error: unknown) => this.#parts.options.onFailure?.(toSluiceError(error, "DATABASE_START_FAILED", true)))
      .finally(() => (this.#watching = undefined));
  }

  async #look(): Promise<void> {
    const { layout, options } = this.#parts;
    if (isAlive(this.#server.identity)) return await boundLog(layout.logFile);
    if (!this.#isLost) options.onProgress?.("lost");
    this.#isLost = true;
    const { server, how } = await withGate(layout.gateFolder, () => ensureRunning(layout, options.onProgress));
    this.#server = server;
    this.#isLost = false;
    options.onProgress?.(how);
    if (this.#server.port !== this.#parts.server.port) throw portLost(this.#parts.server.port);
  }
}

function portLost(port: number): SluiceError {
  return new SluiceError("DATABASE_START_FAILED", {
    message: `Postgres died, and its port ${port} was taken before it was back; it listens on another one now`,
    hint: "Restart this process, which still connects to the old port.",
  });
}
