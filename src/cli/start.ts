import { introduce } from "./introduction.ts";
import type { ProcessRole } from "../store/index.ts";
import { adminUrlOf, type ListenOptions, refuseListening, toListen } from "./listen-options.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { loadProject, serve } from "./serve.ts";
import { toned } from "./terminal.ts";
import { worker } from "./worker.ts";

/** What `sluice start` takes. */
export interface StartOptions extends CommonOptions, ListenOptions {
  /** Default: `all`. */
  readonly role?: ProcessRole;
}

/**
 * `sluice start`: the service with real outside systems, until it is asked to end.
 *
 * @throws UsageError for a worker that is told where to listen.
 */
export async function start(context: CommandContext, options: StartOptions): Promise<void> {
  const { role = "all" } = options;
  if (role === "worker") {
    refuseListening(options);
    return worker(context, options);
  }
  const { terminal, environment } = context;
  const { project, config } = await loadProject(context, options);
  const listen = toListen(options, environment, config);
  await serve(
    context,
    {
      project,
      config,
      listen,
      role,
      async announce(app) {
        const local = app.adminUrl ?? "";
        const adminUrl = adminUrlOf(options, environment) ?? local;
        const setupLink = (await app.setupLink())?.replace(local, adminUrl) ?? null;
        if (terminal.isWatched) {
          introduce(terminal, { app, config, project, adminUrl, setupLink, isDevelopment: false });
          if (role === "web") terminal.tell("It executes no runs; for that, start: sluice worker");
          return;
        }
        app.log.info("service.started", { address: app.publicUrl, kind: app.database.kind, mode: role });
        for (const { name, model, provider, simulated, reason } of app.models)
          app.log.info("model.chosen", { name, model, provider, simulated, reason });
        // Not a log line: whoever reads the log later must not find a link that works.
        if (setupLink !== null)
          terminal.tell(toned("strong", "First user"), `: open ${setupLink} (works once, for 24 hours)`);
      },
    },
    options.debug === true,
  );
}
