import {
  defaultLocalServers,
  describeModelStatus,
  type ModelStatus,
  type ResolvedModels,
  resolveModels,
} from "../ai/index.ts";
import { createGuardedFetch } from "../connect/index.ts";
import { type Data, withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { loadProject } from "./serve.ts";

/** What the configuration's names stand for on this machine, as `sluice start` would decide it. No model is called. */
export async function readModels(context: CommandContext, options: CommonOptions): Promise<ResolvedModels> {
  const { config } = await loadProject(context, options);
  const fetch = createGuardedFetch({ allowedOrigins: defaultLocalServers.map(({ origin }) => origin) });
  try {
    const { environment } = context;
    return await resolveModels({ config: config.models ?? {}, environment, detectLocal: true, fetch });
  } finally {
    await fetch.close();
  }
}

/** All models with the state of their limits, as the processes of the project share it. */
export async function readModelStatus(context: CommandContext, options: CommonOptions): Promise<ModelStatus[]> {
  const models = await readModels(context, options);
  return withData(context, options, async ({ store }: Data) =>
    describeModelStatus(models, await store.limits.gauges()),
  );
}
