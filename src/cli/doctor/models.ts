import {
  candidatesToTest,
  checkModels,
  defaultLocalServers,
  keyOf,
  modelIdOf,
  type ModelSpec,
  resolveModels,
} from "../../ai/index.ts";
import { createGuardedFetch } from "../../connect/index.ts";
import { type Check, failing, type Finding, ok, type Subject, toFinding, warning } from "./check.ts";

/**
 * Which models each name stands for and why, and whether they can be used: keys, packages, prices of budgeted flows. No model
 * is called.
 */
export const modelsCheck: Check = {
  name: "models",
  async look({ config, environment }) {
    if (!config) return [];
    const written = config.models ?? {};
    const fetch = createGuardedFetch({ allowedOrigins: defaultLocalServers.map(({ origin }) => origin) });
    try {
      const models = await resolveModels({ config: written, environment, detectLocal: true, fetch });
      const candidates = candidatesToTest(models).map((one) => ({
        ...one,
        reason: models.get(one.name)?.reason ?? "",
      }));
      // Names that mean the same are told once.
      const groups = Map.groupBy(candidates, ({ spec, reason }) => JSON.stringify([spec, reason]));
      const usable = await checkModels({ ...config, config: written, models }).then(() => [], toFindings);
      return [...[...groups.values()].flatMap((group) => checkModel(group, environment)), ...usable];
    } finally {
      await fetch.close();
    }
  },
};

interface Candidate {
  readonly name: string;
  readonly spec: ModelSpec;
  readonly reason: string;
}

function checkModel(group: readonly Candidate[], environment: Subject["environment"]): Finding[] {
  const [model] = group;
  if (!model) return [];
  const { spec, reason } = model;
  const names = [...new Set(group.map(({ name }) => name))].join(" and ");
  if (spec.provider === "simulated") {
    return [
      warning(
        `${names}: the simulated model, as ${reason}; its answers are SIMULATED`,
        "Set OPENAI_API_KEY or ANTHROPIC_API_KEY, start a model server on this machine, or configure models.",
      ),
    ];
  }
  const found = ok(`${names}: ${modelIdOf(spec)} of ${spec.provider}, as ${reason}`);
  const key = keyOf(spec)?.secret;
  if (key === undefined || environment[key]?.trim()) return [found];
  const hint = "Set it in the environment, or in .env beside the configuration.";
  return [found, failing(`${key} is not set; model ${names} needs it`, hint)];
}

const toFindings = (thrown: unknown): Finding[] => [toFinding(thrown)];
