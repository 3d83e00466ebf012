export { maxBodyBytes } from "./body.ts";
export { call, type CallOptions } from "./call.ts";
export { createHookRoutes } from "./hook-routes.ts";
export { parseJson } from "./payload.ts";
export { toProblem } from "./problem.ts";
export { signSample } from "./sample.ts";
export { signatures } from "./signatures.ts";
export { checkSecrets } from "./verifier.ts";
export { webhook, type WebhookOptions } from "./webhook.ts";
