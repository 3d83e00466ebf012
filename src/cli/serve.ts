import { type App, type AppOptions, createApp } from "../app.ts";
import type { Config } from "../config.ts";
import { type ErrorCode, SluiceError } from "../core/index.ts";
import { type CommandContext, type CommonOptions, configFileOf, openProject, type Project } from "./project.ts";
import { showProgress } from "./start-progress.ts";
import { listenForStop } from "./stop-request.ts";

/** What {@link serve} takes. */
export interface ServeOptions extends Pick<AppOptions, "listen" | "sandbox" | "worker" | "role"> {
  readonly project: Project;
  readonly config: Config;
  /** Tells what is running, once it is. */
  readonly announce: (app: App) => Promise<void>;
}

/** Runs an application until it is asked to end, and closes it cleanly. */
export async function serve(context: CommandContext, options: ServeOptions, debug: boolean): Promise<void> {
  const { terminal, environment } = context;
  const { project, announce, ...appOptions } = options;
  const stop = listenForStop();
  let isUp = false;
  try {
    const app = await createApp({
      ...appOptions,
      folder: project.folder,
      environment,
      log: {
        format: terminal.isWatched ? "text" : "json",
        level: debug ? "debug" : "info",
        write: (line) => terminal.tell(line.trimEnd()),
      },
      onProgress: showProgress(terminal),
    });
    isUp = true;
    try {
      if (!stop.isRequested) await announce(app);
      await stop.requested;
      if (terminal.isWatched && stop.isBySignal)
        terminal.tell("Stopping: what is under way comes to its end. Ctrl-C again ends it at once.");
    } finally {
      await app.close();
    }
  } catch (thrown) {
    // Ctrl-C in the middle of a start reaches also the processes that are being started, which is no error.
    if (!stop.isRequested || isUp) throw withAdvice(thrown);
  } finally {
    stop.dispose();
  }
}

/** The project and its configuration, for the commands that execute flows. @throws as openProject and loadConfig do. */
export async function loadProject(context: CommandContext, options: CommonOptions) {
  const project = openProject(context, options);
  const { loadConfig } = await import("./load-config.ts");
  return { project, config: await loadConfig(configFileOf(project, context)) };
}

/** What to do, in terms of the command line. */
const advice: { readonly [code in ErrorCode]?: string } = {
  PORT_IN_USE: "Stop that program, perhaps another sluice, or choose other ports: --public-port 4700 --admin-port 4701",
  SECRET_MISSING:
    "Set it in the environment, or in .env beside the configuration. sluice doctor lists all that is missing; sluice dev works without.",
};

function withAdvice(thrown: unknown): unknown {
  if (!(thrown instanceof SluiceError)) return thrown;
  const hint = advice[thrown.code];
  return hint === undefined ? thrown : new SluiceError(thrown.code, { message: thrown.message, hint, cause: thrown });
}
