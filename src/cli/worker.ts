import type { CommandContext, CommonOptions } from "./project.ts";
import { loadProject, serve } from "./serve.ts";

/** `sluice worker`: executes runs beside the service, and listens nowhere. */
export async function worker(context: CommandContext, options: CommonOptions): Promise<void> {
  const { terminal } = context;
  const { project, config } = await loadProject(context, options);
  await serve(
    context,
    {
      project,
      config,
      listen: null,
      worker: true,
      role: "worker",
      async announce(app) {
        app.log.info("worker.started", { executor: app.engine.executor, kind: app.database.kind });
        if (terminal.isWatched) terminal.tell("This worker executes runs until Ctrl-C.");
      },
    },
    options.debug === true,
  );
}
