import { join } from "node:path";
import { SluiceError } from "../core/index.ts";
import { tellSupervisor } from "./dev-messages.ts";
import { introduce } from "./introduction.ts";
import { type ListenOptions, toListen } from "./listen-options.ts";
import { type CommandContext, type CommonOptions, configFileOf, openProject } from "./project.ts";
import { loadProject, serve } from "./serve.ts";
import { toned } from "./terminal.ts";

/** What `sluice dev` takes. */
export interface DevOptions extends CommonOptions, ListenOptions {
  /** Whether it starts anew when a file of the project changes. */
  readonly watch: boolean;
}

/** Set by the supervisor for all children but the first. */
const restartedVariable = "SLUICE_DEV_RESTARTED";

/**
 * `sluice dev`: the application in the sandbox, anew after each change.
 *
 * @param argv the whole command line, after `sluice`.
 * @returns the exit code.
 */
export async function dev(context: CommandContext, options: DevOptions, argv: readonly string[]): Promise<number> {
  if (!options.watch) {
    await runDev(context, options);
    return 0;
  }
  // With a copy of the environment: the child is to read `.env` anew each time.
  const project = openProject({ ...context, environment: { ...context.environment } }, options);
  const configFile = configFileOf(project, context);
  const { superviseDev } = await import("./dev-supervisor.ts");
  return superviseDev(context, {
    files: [configFile, join(configFile, "../.env")],
    argv: [...argv, "--no-watch"],
    restartedVariable,
  });
}

async function runDev(context: CommandContext, options: DevOptions): Promise<void> {
  try {
    const { watchLoadedFiles } = await import("./loaded-files.ts");
    watchLoadedFiles((loaded) => tellSupervisor({ loaded }));
    await serveDev(context, options);
  } catch (thrown) {
    // A taken port or a broken database stays what it is, whatever is written in the files.
    const code = thrown instanceof SluiceError ? thrown.code : null;
    if (code === "CONFIG_INVALID" || code === "FLOW_INVALID") tellSupervisor({ mendable: true });
    throw thrown;
  }
}

async function serveDev(context: CommandContext, options: DevOptions): Promise<void> {
  const { terminal, environment } = context;
  const { project, config } = await loadProject(context, options);
  await serve(
    context,
    {
      project,
      config,
      sandbox: true,
      listen: toListen(options, environment, config),
      async announce(app) {
        tellSupervisor({ mendable: true });
        const adminUrl = app.adminUrl ?? "";
        if (environment[restartedVariable]) {
          terminal.tell(toned("good", "Ready again"), `: hooks on ${app.publicUrl}, dashboard on ${adminUrl}/`);
          return;
        }
        const setupLink = await app.setupLink();
        introduce(terminal, { app, config, project, adminUrl, setupLink, isDevelopment: true });
      },
    },
    options.debug === true,
  );
}
