export type { Brain, ChatRequest } from "./brain.ts";
export { readFilteredCalls as readSandboxCalls, type CallFilter } from "./control.ts";
export type { FaultParams, SandboxCall, SandboxCredentials, SandboxSystem } from "./exchange.ts";
export { faultKinds, type FaultKind, type FaultRule } from "./fault-plan.ts";
export type { ModelLimits } from "./model-limits.ts";
export type { Recording } from "./record.ts";
export { startSandbox, type Sandbox, type SandboxOptions } from "./sandbox.ts";
export type { HubspotContact, HubspotProperty, SandboxEffect, SlackMessage } from "./state.ts";
