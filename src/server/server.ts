import { createAdminApplication, createPublicApplication } from "./applications.ts";
import type { Services } from "./api/route.ts";
import { createPasswords } from "./auth/passwords.ts";
import { createSessions } from "./auth/sessions.ts";
import { createThrottle } from "./auth/throttle.ts";
import { createChangeHub } from "./change-hub.ts";
import { createDashboard } from "./dashboard.ts";
import { listen, type FetchHandler, type Listener } from "./listener.ts";
import type { ServerOptions, ServerPorts } from "./ports.ts";
import { securityHeaders } from "./security-headers.ts";

/** Requests under way get this long to end when the server closes. */
const graceMs = 5000;

/** A server that listens. */
export interface RunningServer {
  /** Address of the public listener on this machine, such as `http://127.0.0.1:4600`. */
  readonly publicUrl: string;
  /** Address of the admin listener on this machine, such as `http://127.0.0.1:4601`. */
  readonly adminUrl: string;
  /** The public listener's application, to be mounted in another server. */
  readonly publicFetch: FetchHandler;
  /** The admin listener's application, to be mounted in another server. */
  readonly adminFetch: FetchHandler;
  /** Stops accepting, ends live streams, and gives requests under way 5 s. */
  close(): Promise<void>;
}

/**
 * Opens both listeners.
 *
 * @throws PORT_IN_USE, CONFIG_INVALID; then neither is open.
 */
export async function createServer(ports: ServerPorts, options: ServerOptions): Promise<RunningServer> {
  const { workspace, log } = ports;
  const changes = createChangeHub({ changes: workspace.changes, log });
  const services: Services = {
    ports,
    sessions: createSessions(workspace.sessions, options.secureCookies),
    passwords: await createPasswords(),
    throttle: createThrottle(Date.now),
    changes,
  };
  const publicFetch: FetchHandler = createPublicApplication(ports, options).fetch;
  const dashboard = await createDashboard(options.dashboardFolder);
  const adminFetch: FetchHandler = createAdminApplication(services, options, dashboard).fetch;
  const [open, admin] = await listenBoth(options, publicFetch, adminFetch);
  return {
    publicUrl: open.url,
    adminUrl: admin.url,
    publicFetch,
    adminFetch,
    async close() {
      changes.close();
      await Promise.all([open.close(graceMs), admin.close(graceMs)]);
    },
  };
}

async function listenBoth(
  options: ServerOptions,
  publicFetch: FetchHandler,
  adminFetch: FetchHandler,
): Promise<[Listener, Listener]> {
  const headers = securityHeaders(options.secureCookies);
  const open = await listen({ host: options.publicHost, port: options.publicPort, fetch: publicFetch, headers });
  try {
    return [open, await listen({ host: options.adminHost, port: options.adminPort, fetch: adminFetch, headers })];
  } catch (thrown) {
    await open.close(0);
    throw thrown;
  }
}
