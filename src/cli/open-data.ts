import { existsSync } from "node:fs";
import { join } from "node:path";
import { Cleanup, SluiceError } from "../core/index.ts";
import { openDatabase, openMasterKey, openStore, type Store, type Workspace } from "../store/index.ts";
import { type CommandContext, type CommonOptions, openProject, type Project } from "./project.ts";
import { showProgress } from "./start-progress.ts";

/** The only workspace for now. */
const workspaceId = "default";

/** What a command reads and writes without the service. */
export interface Data {
  readonly store: Store;
  readonly workspace: Workspace;
  /** For whoever needs connections of its own. */
  readonly url: string;
}

/**
 * Opens the data of a project beside whoever else uses it, does the work, and closes it again.
 *
 * @throws DATABASE_FOLDER_UNREACHABLE when there is no database yet: none is made here; DATABASE_* as the store does.
 */
export async function withData<T>(
  context: CommandContext,
  options: CommonOptions,
  work: (data: Data, project: Project) => Promise<T>,
): Promise<T> {
  const project = openProject(context, options);
  const cleanup = new Cleanup();
  try {
    const data = await openData(context, project, options.json === true, cleanup);
    return await work(data, project);
  } finally {
    context.terminal.progress(null);
    await cleanup.close();
  }
}

/** Whether the project's database is the bundled one and was never started. */
export function isWithoutDatabase({ folder }: Project, environment: CommandContext["environment"]): boolean {
  return !environment["SLUICE_DATABASE_URL"] && !existsSync(join(folder, "postgres"));
}

async function openData(
  { terminal, environment, workingFolder }: CommandContext,
  project: Project,
  isQuiet: boolean,
  cleanup: Cleanup,
): Promise<Data> {
  if (isWithoutDatabase(project, environment)) {
    throw new SluiceError("DATABASE_FOLDER_UNREACHABLE", {
      message: `there is no database in ${project.folder} yet`,
      hint:
        project.configFile === null
          ? `${workingFolder} has no sluice.config.ts: go to the folder of a project, or make one with: sluice init`
          : "The first start makes it: sluice dev",
    });
  }
  // Too quick to be told where nobody watches.
  const onProgress = isQuiet || !terminal.isWatched ? () => {} : showProgress(terminal);
  const database = await openDatabase({
    url: environment["SLUICE_DATABASE_URL"] || undefined,
    dataFolder: join(project.folder, "postgres"),
    role: "guest",
    onProgress,
  });
  cleanup.add(() => database.close());
  const key = await openMasterKey({ environment, folder: project.folder });
  const store = await openStore({ url: database.url, key, poolSize: 2, onError: () => {} });
  cleanup.add(() => store.close());
  terminal.progress(null);
  return { store, workspace: store.workspace(workspaceId), url: database.url };
}
