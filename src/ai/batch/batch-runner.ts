import { type Log, toSluiceError } from "../../core/index.ts";
import type { BatchGroup, OpenBatch, Store } from "../../store/index.ts";
import type { ModelAccess } from "../model-access.ts";
import { type HostedModelSpec, modelIdOf, type ResolvedModels } from "../model-spec.ts";
import { usesBatchApi } from "../prices.ts";
import { openBatchClient } from "./batch-client.ts";

/** What {@link startBatchRunner} takes. */
export interface BatchRunnerOptions {
  readonly line: Store["batches"];
  readonly models: ResolvedModels;
  readonly access: ModelAccess;
  readonly log: Log;
  /** How often what is in line is handed over. Default: 30,000. */
  readonly submitEveryMs?: number | undefined;
  /** How often providers are asked whether a batch has ended. Default: 30,000. */
  readonly pollEveryMs?: number | undefined;
}

const defaultEveryMs = 30_000;
/** OpenAI takes 50,000 requests in a batch, Anthropic 100,000 or 256 MB; fewer keep one bad batch from holding up many runs. */
const mostInBatch = 1000;

/** Hands requests of the batch lane over to their providers, and collects the answers, until it is closed. */
export function startBatchRunner(options: BatchRunnerOptions): { close(): Promise<void> } {
  const submitting = repeat(options.submitEveryMs ?? defaultEveryMs, options.log, () => submitAll(options));
  const collecting = repeat(options.pollEveryMs ?? defaultEveryMs, options.log, () => collectAll(options));
  return { close: async () => void (await Promise.all([submitting.close(), collecting.close()])) };
}

/** Does something again and again, one at a time. A failure is told, and is no end. */
function repeat(everyMs: number, log: Log, work: () => Promise<void>) {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= work()
      .catch((thrown: unknown) => log.warn("batch.failed", { code: toSluiceError(thrown).code }))
      .finally(() => (running = null));
  }, everyMs).unref();
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

async function submitAll(options: BatchRunnerOptions): Promise<void> {
  for (;;) {
    const group = await options.line.take(mostInBatch);
    if (!group) return;
    const batchId = await submit(options, group).catch((thrown: unknown) => {
      options.log.warn("batch.not_submitted", { model: group.model, code: toSluiceError(thrown).code });
      return null;
    });
    await options.line.submitted(group, batchId);
    // What could not be handed over is in line again, at its old place.
    if (batchId === null) return;
    options.log.info("batch.submitted", { model: group.model, count: group.items.length });
  }
}

async function submit({ models, access }: BatchRunnerOptions, group: BatchGroup): Promise<string | null> {
  const spec = specOf(models, group);
  return spec && (await openBatchClient(spec, access)).submit(group.items);
}

async function collectAll({ line, models, access, log }: BatchRunnerOptions): Promise<void> {
  for (const batch of await line.open()) {
    const spec = specOf(models, batch);
    const answers = spec && (await (await openBatchClient(spec, access)).collect(batch.batchId));
    if (!answers) continue;
    await line.collect(batch.batchId, answers);
    log.info("batch.collected", { model: batch.model, count: answers.size });
  }
}

function specOf(
  models: ResolvedModels,
  { modelName, provider, model }: Pick<OpenBatch, "modelName" | "provider" | "model">,
): HostedModelSpec | null {
  const named = models.get(modelName);
  const specs = named ? [named.spec, ...named.fallbacks] : [];
  return specs.filter(usesBatchApi).find((spec) => spec.provider === provider && modelIdOf(spec) === model) ?? null;
}
