export { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
export type { AiJournal } from "./journal.ts";
export { defaultLocalServers, type LocalServer } from "./local-models.ts";
export type { ModelAccess, ModelFetch } from "./model-access.ts";
export type {
  HostedModelSpec,
  ModelDescription,
  ModelPrice,
  ModelsConfig,
  ModelSpec,
  ResolvedModel,
  ResolvedModels,
  SimulatedModelSpec,
} from "./model-spec.ts";
export { describeModels, resolveModels, type ResolveModelsOptions } from "./models.ts";
export type { Prompt, PromptMessage } from "./prompt.ts";
export { createSimulatedAnswer, type SimulatedAnswer } from "./simulated/answer.ts";
