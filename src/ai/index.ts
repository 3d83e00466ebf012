export { startBatchRunner } from "./batch/batch-runner.ts";
export { type DataMap, type MappedCall, type MappedFlow, readDataMap } from "./data-map.ts";
export { checkModels } from "./check-models.ts";
export { createGateway, type Gateway } from "./gateway.ts";
export type { GatewayOptions } from "./gateway-options.ts";
export type { AiJournal } from "./journal.ts";
export { defaultLocalServers, type LocalServer } from "./local-models.ts";
export { builtInDetectors, createPresidioDetector, type Detector } from "./mask/index.ts";
export type { ModelAccess, ModelFetch } from "./model-access.ts";
export { describeModelStatus, type ModelCandidate, type ModelStatus } from "./model-status.ts";
export { candidatesToTest, type ModelTest } from "./model-test.ts";
export { keyOf } from "./provider-facts.ts";
export { modelIdOf } from "./model-spec.ts";
export type {
  HostedModelSpec,
  HostedProvider,
  ModelDescription,
  ModelLimits,
  ModelPrice,
  ModelsConfig,
  ModelSpec,
  ResolvedModel,
  ResolvedModels,
  SimulatedModelSpec,
} from "./model-spec.ts";
export { describeModels, resolveModels, type ResolveModelsOptions } from "./models.ts";
export { createOversight, type Oversight, type OversightOptions, testModels } from "./oversight.ts";
export type { Prompt, PromptMessage } from "./prompt.ts";
export type { OverallBudget } from "./reserve.ts";
export { createSimulatedAnswer, type SimulatedAnswer } from "./simulated/answer.ts";
export { traceSends } from "./trace-sends.ts";
