import { introduce } from "./introduction.ts";
import { adminUrlOf, type ListenOptions, toListen } from "./listen-options.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { loadProject, serve } from "./serve.ts";
import { toned } from "./terminal.ts";

/** `sluice start`: the service with real outside systems, until it is asked to end. */
export async function start(context: CommandContext, options: CommonOptions & ListenOptions): Promise<void> {
  const { terminal, environment } = context;
  const { project, config } = await loadProject(context, options);
  const listen = toListen(options, environment, config);
  await serve(
    context,
    {
      project,
      config,
      listen,
      async announce(app) {
        const local = app.adminUrl ?? "";
        const adminUrl = adminUrlOf(options, environment) ?? local;
        const setupLink = (await app.setupLink())?.replace(local, adminUrl) ?? null;
        if (terminal.isWatched) {
          introduce(terminal, { app, config, project, adminUrl, setupLink, isDevelopment: false });
          return;
        }
        app.log.info("service.started", { address: app.publicUrl, kind: app.database.kind });
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
