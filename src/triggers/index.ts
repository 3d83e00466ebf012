export { maxBodyBytes } from "./body.ts";
export type { AcceptedDelivery, FinishedRun, Hook, HookPorts } from "./hook-ports.ts";
export { createHookRoutes } from "./hook-routes.ts";
export { parseJson } from "./payload.ts";
export { toProblem } from "./problem.ts";
export { signSample, type SampleRequest } from "./sample.ts";
export { signatures } from "./signatures.ts";
export { checkSecrets, type ResolveSecret } from "./verifier.ts";
export { webhook, type SignedSource, type WebhookOptions } from "./webhook.ts";
