export { defineAction, type ActionDefinition } from "./action.ts";
export type { ActionContext, ConnectionSettings } from "./action-context.ts";
export {
  connectRuntime,
  type ConnectionOverride,
  type ConnectRuntime,
  type EffectOutcome,
  type ReceiptJournal,
} from "./connect-runtime.ts";
export {
  defineConnection,
  type ActionDescription,
  type ConnectionActions,
  type ConnectionDefinition,
  type ConnectionDescription,
  type DescribedConnection,
} from "./connection.ts";
export { createGuardedFetch, type GuardedFetch, type GuardedFetchOptions } from "./http/guarded-fetch.ts";
export { createScrubber, type Scrubber } from "./scrubber.ts";
export { resolveSecret, Secret } from "./secret.ts";
export { openStandInSecrets } from "./stand-in-secrets.ts";
export { readRetryAfterMs } from "./retry-after.ts";
export { readJson, toVendorError, type VendorErrorCode, type VendorRefusal } from "./vendor-answer.ts";
