export { issueSetupLink } from "./auth/setup-link.ts";
export type { FetchHandler } from "./listener.ts";
export type { EnginePort, FlowInfo, ServerOptions, ServerPorts } from "./ports.ts";
export { createServer, type RunningServer } from "./server.ts";
