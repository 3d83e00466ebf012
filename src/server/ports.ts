import type { Hono } from "hono";
import type { AnyFlow, Json, Log, Trigger } from "../core/index.ts";
import type { Acceptance, EffectWord, IncomingEvent, LedgerVerdict, Period, Workspace } from "../store/index.ts";
import type { DataMapView, ModelStatusView, ModelTestView, StatusView } from "./api/schemas.ts";

/** A flow and what starts it. */
export interface FlowInfo {
  readonly flow: AnyFlow;
  readonly trigger: Trigger;
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
  /** Commits an event with its run, which begins at once while there is room. @throws QUEUE_FULL, DATABASE_UNAVAILABLE */
  accept(event: IncomingEvent): Promise<Acceptance>;
  /** Lets a run that failed with FLOW_CHANGED go on under the present code. @throws RUN_UNKNOWN, RUN_NOT_MIGRATABLE */
  migrate(runId: string): Promise<void>;
  /** Lets parked runs of other code of their flow go on, so that those show that do not fit it. @throws FLOW_UNKNOWN */
  recheck(flow: string): Promise<number>;
  /** Records a person's word about an effect in doubt, and resumes its run. @throws RUN_UNKNOWN, EFFECT_UNKNOWN, EFFECT_NOT_IN_DOUBT */
  rule(runId: string, ruling: EffectWord): Promise<void>;
}

/** A view that nobody changes on its way out. */
export type Shown<View> = View extends object ? { readonly [Part in keyof View]: Shown<View[Part]> } : View;

/** What people see of the gateway and may do to it. */
export interface GatewayPort {
  /** All names of the configuration with the state of limits, pauses and circuits. */
  models(): Promise<readonly Shown<ModelStatusView>[]>;
  /** Calls each candidate of a name, or of all names, once. @throws MODEL_UNKNOWN for a name that is not configured. */
  test(name: string | undefined): Promise<readonly Shown<ModelTestView>[]>;
  /** Closes the circuit of a credential or bucket, and records who did. False when none was open. */
  resume(credential: string, by: string | null): Promise<boolean>;
  /** Which fields of each flow go to which model, by the calls of a period; a flow without any is run dry on a sample. */
  dataMap(period: Period): Promise<Shown<DataMapView>>;
}

/** The record of what was sent to models and what was decided about it. */
export type LedgerPort = Pick<Workspace["ledger"], "page" | "exportEntries" | "erase"> & {
  /** Checks the chain, with the heads that were kept elsewhere and all content that is still there. */
  verify(): Promise<LedgerVerdict>;
};

/** What the server needs from the rest of the application. */
export interface ServerPorts {
  readonly workspace: Workspace;
  flows(): readonly FlowInfo[];
  readonly engine: EnginePort;
  readonly gateway: GatewayPort;
  readonly ledger: LedgerPort;
  status(): Promise<StatusView>;
  /** Whether work can be done now; answers `/readyz`. */
  isReady(): Promise<boolean>;
  /** Serves `/hooks/*` on the public listener. */
  readonly hooks: Hono;
  readonly log: Log;
  /** Most runs that may be queued. Default: 100,000. */
  readonly maxQueued?: number | undefined;
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
