import { createRequire } from "node:module";
import { defaultLocalServers, type ResolvedModel, resolveModels } from "../../ai/index.ts";
import { createGuardedFetch } from "../../connect/index.ts";
import { type Check, failing, type Finding, ok, type Subject, warning } from "./check.ts";

const usualKeys: { readonly [provider: string]: string } = {
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
};

/** Which model each name stands for and why, and whether it can be used. No model is called. */
export const modelsCheck: Check = {
  name: "models",
  async look({ config, environment }) {
    if (!config) return [];
    const fetch = createGuardedFetch({ allowedOrigins: defaultLocalServers.map(({ origin }) => origin) });
    try {
      const models = await resolveModels({ config: config.models ?? {}, environment, detectLocal: true, fetch });
      // Names that mean the same are told once.
      const groups = Map.groupBy(models.values(), ({ spec, reason }) => JSON.stringify([spec, reason]));
      return [...groups.values()].flatMap((group) => checkModel(group, environment));
    } finally {
      await fetch.close();
    }
  },
};

function checkModel(group: readonly ResolvedModel[], environment: Subject["environment"]): Finding[] {
  const [model] = group;
  if (!model) return [];
  const { spec, reason } = model;
  const names = group.map(({ name }) => name).join(" and ");
  if (spec.provider === "simulated") {
    return [
      warning(
        `${names}: the simulated model, as ${reason}; its answers are SIMULATED`,
        "Set OPENAI_API_KEY or ANTHROPIC_API_KEY, start a model server on this machine, or configure models.",
      ),
    ];
  }
  const key = spec.apiKey?.secret ?? usualKeys[spec.provider];
  const library = `@ai-sdk/${spec.provider}`;
  return [
    ok(`${names}: ${spec.model} of ${spec.provider}, as ${reason}`),
    ...(key && !environment[key]?.trim()
      ? [
          failing(
            `${key} is not set; model ${names} needs it`,
            "Set it in the environment, or in .env beside the configuration.",
          ),
        ]
      : []),
    ...(isInstalled(library)
      ? []
      : [failing(`the package ${library} is not installed; model ${names} needs it`, `npm install ${library}`)]),
  ];
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
