import { SluiceError } from "../core/index.ts";
import type { ResolvedModel, ResolvedModels } from "./model-spec.ts";

/** Stage 3: a name becomes a configured model. Data classes that narrow the choice do not exist yet. @throws MODEL_UNKNOWN */
export function route(models: ResolvedModels, name: string): ResolvedModel {
  const model = models.get(name);
  if (model) return model;
  throw new SluiceError("MODEL_UNKNOWN", {
    message: `model ${JSON.stringify(name)} is not configured; configured are ${[...models.keys()].join(", ")}`,
    hint: "Add it to the models of the configuration, or use one of the configured names.",
  });
}
