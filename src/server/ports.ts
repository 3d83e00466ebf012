import type { Hono } from "hono";
import type { AnyFlow, Json, Log, WebhookTrigger } from "../core/index.ts";
import type { Workspace } from "../store/index.ts";
import type { StatusView } from "./api/schemas.ts";

/** A flow and the webhook that starts it. */
export interface FlowInfo {
  readonly flow: AnyFlow;
  readonly trigger: WebhookTrigger;
}

/** What people may do to runs. */
export interface EnginePort {
  /** @throws RUN_UNKNOWN, RUN_NOT_RESUMABLE, FLOW_UNKNOWN */
  resume(runId: string): Promise<void>;
  /** @throws RUN_UNKNOWN, RUN_NOT_CANCELLABLE */
  cancel(runId: string): Promise<void>;
  /**
   * Gives a waiting run its value. False when it had one of that name already: the first stands.
   *
   * @throws RUN_UNKNOWN; REQUEST_INVALID when the value does not fit.
   */
  signal(runId: string, name: string, value: Json): Promise<boolean>;
  /** Tells the engine that a run was queued, so that it looks at once. */
  notifyQueued(): void;
}

/** What the server needs from the rest of the application. */
export interface ServerPorts {
  readonly workspace: Workspace;
  flows(): readonly FlowInfo[];
  readonly engine: EnginePort;
  status(): Promise<StatusView>;
  /** Whether work can be done now; answers `/readyz`. */
  isReady(): Promise<boolean>;
  /** Serves `/hooks/*` on the public listener. */
  readonly hooks: Hono;
  readonly log: Log;
  /** Address under which senders reach the public listener, such as `https://hooks.example.com`. */
  readonly publicUrl: string;
}

/** How the server listens. */
export interface ServerOptions {
  readonly publicHost: string;
  /** 0: any free port. */
  readonly publicPort: number;
  readonly adminHost: string;
  /** 0: any free port. */
  readonly adminPort: number;
  /**
   * Host names by which the listeners may be addressed, besides `localhost`, `127.0.0.1`, `[::1]` and that of `publicUrl`.
   * With a port, such as `sluice.example.com:8443`, only that port.
   */
  readonly allowedHosts: readonly string[];
  /** Built files of the dashboard; null or a folder that is not there: a page that says how to build it. */
  readonly dashboardFolder: string | null;
  /** Whether people reach the dashboard by https only: `__Host-` cookies and HSTS. */
  readonly secureCookies: boolean;
}
