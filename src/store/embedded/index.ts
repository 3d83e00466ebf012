export {
  startEmbeddedPostgres,
  type EmbeddedOptions,
  type EmbeddedPhase,
  type EmbeddedPostgres,
} from "./supervisor.ts";
