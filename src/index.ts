export { z } from "zod";
export { createApp, type App, type AppOptions } from "./app.ts";
export type { ModelsConfig, ModelSpec } from "./ai/index.ts";
export { type Config, defineConfig } from "./config.ts";
export {
  type Ai,
  type AiRequest,
  type ClassifyRequest,
  type Duration,
  type ErrorCode,
  type Flow,
  flow,
  type FlowContext,
  type FlowOptions,
  type Json,
  type ObjectRequest,
  type RetryPolicy,
  type Schema,
  secret,
  type SecretReference,
  type SignatureCheck,
  SluiceError,
  type SluiceErrorJson,
  type WebhookTrigger,
} from "./core/index.ts";
export { signatures, webhook, type WebhookOptions } from "./triggers/index.ts";
