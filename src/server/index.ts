export { issueSetupLink } from "./auth/setup-link.ts";
export type { FlowInfo, ServerOptions, ServerPorts } from "./ports.ts";
export { createServer, type RunningServer } from "./server.ts";
