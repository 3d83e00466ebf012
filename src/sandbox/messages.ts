import type { SluiceErrorJson } from "../core/index.ts";
import type { SandboxCredentials } from "./exchange.ts";
import type { FaultRule } from "./fault-plan.ts";
import type { ModelLimits } from "./model-limits.ts";
import type { Recording } from "./record.ts";
import type { HubspotContact, SlackMessage } from "./state.ts";

/** What the sandbox process is started with, as JSON in its first argument. */
export interface StartSettings {
  readonly folder: string;
  readonly seed: number;
  readonly faults: readonly FaultRule[];
  readonly latencyMs: number;
  readonly port: number;
  readonly brain: string | null;
  readonly limits: ModelLimits;
  readonly batchDelayMs: number;
  readonly recording: Recording;
}

/** What the sandbox process tells when it is ready. */
export interface Ready {
  readonly origin: string;
  readonly controlToken: string;
  readonly credentials: SandboxCredentials;
}

/** From the process that started the sandbox. */
export type ToSandbox = { readonly id: number } & (
  | { readonly command: "slackMessages" | "hubspotContacts" }
  | { readonly command: "setFaults"; readonly rules: readonly FaultRule[] }
  | { readonly command: "setLimits"; readonly limits: ModelLimits }
);

/** From the sandbox: `ready` or `failed` once, then one answer for each request. */
export type FromSandbox =
  | { readonly ready: Ready }
  | { readonly failed: SluiceErrorJson }
  | { readonly id: number; readonly result: readonly SlackMessage[] | readonly HubspotContact[] | null }
  | { readonly id: number; readonly error: SluiceErrorJson };
