export { z } from "zod";
export { createApp, type App, type AppOptions } from "./app.ts";
export type { ModelsConfig, ModelSpec } from "./ai/index.ts";
export { type Config, defineConfig } from "./config.ts";
export {
  type Ai,
  type AiRequest,
  type CallTrigger,
  type ClassifyRequest,
  type ConcurrencyLimit,
  type Duration,
  type ErrorCode,
  type Flow,
  flow,
  type FlowContext,
  type FlowOptions,
  type Json,
  type MapOptions,
  type ObjectRequest,
  type Priority,
  type RetryPolicy,
  type Schema,
  secret,
  type SecretReference,
  type SignatureCheck,
  SluiceError,
  type SluiceErrorJson,
  type StartRate,
  type StepOptions,
  type WebhookTrigger,
} from "./core/index.ts";
export { call, type CallOptions, signatures, webhook, type WebhookOptions } from "./triggers/index.ts";
