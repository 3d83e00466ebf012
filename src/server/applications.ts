import { Hono, type Handler } from "hono";
import { SluiceError } from "../core/index.ts";
import { mountRoutes } from "./api/mount.ts";
import { createOpenApiDocument } from "./api/openapi.ts";
import type { Services } from "./api/route.ts";
import { routes } from "./api/routes.ts";
import { answerNotAllowed, answerNotFound, createErrorHandler } from "./failure.ts";
import { createHostGuard } from "./host-guard.ts";
import type { ServerOptions, ServerPorts } from "./ports.ts";
import { createHeaderWriter } from "./security-headers.ts";

/** What senders reach: webhooks and health. */
export function createPublicApplication(ports: ServerPorts, options: ServerOptions): Hono {
  const app = createBase(ports, options);
  app.route("/", ports.hooks);
  return app;
}

/** What people and their programs reach: dashboard, API, its document, and health. */
export function createAdminApplication(services: Services, options: ServerOptions, dashboard: Handler): Hono {
  const { ports } = services;
  const app = createBase(ports, options);
  mountRoutes(app, routes, services);
  get(app, "/openapi.json", async () => {
    const { version } = await ports.status();
    return Response.json(createOpenApiDocument(routes, version));
  });
  get(app, "/", dashboard);
  app.get("*", dashboard);
  return app;
}

function createBase(ports: ServerPorts, options: ServerOptions): Hono {
  const app = new Hono();
  app.onError(createErrorHandler(ports.log));
  app.notFound(answerNotFound);
  app.use(createHeaderWriter(options.secureCookies), createHostGuard(options.allowedHosts, ports.publicUrl));
  get(app, "/healthz", () => Response.json({ status: "alive" }));
  get(app, "/readyz", async () => {
    if (await ports.isReady()) return Response.json({ status: "ready" });
    throw new SluiceError("DATABASE_UNAVAILABLE", {
      message: "the server cannot take work now",
      hint: "It is starting, shutting down, or without its database; its log tells which.",
    });
  });
  return app;
}

/** A path for GET only. */
function get(app: Hono, path: string, handler: Handler): void {
  app.get(path, handler);
  app.all(path, answerNotAllowed(["GET"]));
}
