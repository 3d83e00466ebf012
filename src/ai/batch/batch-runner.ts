import { setTimeout } from "node:timers/promises";
import { isRecord, type Log, SluiceError, toJson, toSluiceError } from "../../core/index.ts";
import type { AbandonedItem, BatchModel, BatchSize, OpenBatch, Store, TakenItem } from "../../store/index.ts";
import type { AiJournal } from "../journal.ts";
import type { ModelAccess } from "../model-access.ts";
import { type HostedModelSpec, modelIdOf, type ResolvedModels } from "../model-spec.ts";
import { usesBatchApi } from "../prices.ts";
import { toSettlement } from "../settle.ts";
import { openBatchClient } from "./batch-client.ts";

/** What {@link startBatchRunner} takes. */
export interface BatchRunnerOptions {
  readonly line: Store["batches"];
  readonly models: ResolvedModels;
  readonly access: ModelAccess;
  /** Where the calls of a workspace are recorded. */
  readonly journalFor: (workspaceId: string) => Pick<AiJournal, "settle">;
  readonly log: Log;
  /** How often what is in line is handed over. Default: 30,000. */
  readonly submitEveryMs?: number | undefined;
  /** How often providers are asked whether a batch has ended. Default: 30,000. */
  readonly pollEveryMs?: number | undefined;
}

const defaultEveryMs = 30_000;
/**
 * OpenAI takes 50,000 requests or 200 MB in a batch, Anthropic 100,000 or 256 MB; fewer keep one bad batch from holding up
 * many runs, and fit into memory.
 */
const mostInBatch: BatchSize = { items: 1000, bytes: 32 * 1024 * 1024 };

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
  for (const model of await options.line.modelsInLine()) await submitModel(options, model);
}

/** Hands over all that is in line for a model. What could not be handed over is in line again. */
async function submitModel(options: BatchRunnerOptions, model: BatchModel): Promise<void> {
  const { line, log } = options;
  for (;;) {
    const items = await line.take(model, mostInBatch);
    if (!items) return;
    if (items.length === 0) continue;
    const facts = { model: model.model, count: items.length };
    const batch = await submit(options, model, items);
    if ("batchId" in batch) {
      await persistently(() => line.submitted(items, batch.batchId));
      log.info("batch.submitted", facts);
      continue;
    }
    const { code, retryable } = batch.error;
    log.warn("batch.not_submitted", { ...facts, code });
    if (retryable) return line.putBack(items);
    await line.refused(items);
  }
}

async function submit(
  options: BatchRunnerOptions,
  model: BatchModel,
  items: readonly TakenItem[],
): Promise<{ readonly batchId: string } | { readonly error: SluiceError }> {
  try {
    const client = await openClient(options, model);
    return { batchId: await client.submit(items) };
  } catch (thrown) {
    return { error: toSluiceError(thrown) };
  }
}

const retryMs = 250;
const mostRetries = 20;

/** What is not noted after a batch was handed over is handed over again, and paid twice. */
async function persistently(note: () => Promise<void>): Promise<void> {
  for (let left = mostRetries; ; left -= 1) {
    try {
      return await note();
    } catch (thrown) {
      if (left === 0) throw thrown;
    }
    await setTimeout(retryMs);
  }
}

async function collectAll(options: BatchRunnerOptions): Promise<void> {
  const { line, log } = options;
  for (const batch of await line.open()) {
    // One provider's trouble is not that of others.
    await collectBatch(options, batch).catch((thrown: unknown) =>
      log.warn("batch.not_collected", { model: batch.model, code: toSluiceError(thrown).code }),
    );
  }
  for (const item of await line.removeUnwanted()) await close(options, item);
}

async function collectBatch(options: BatchRunnerOptions, batch: OpenBatch): Promise<void> {
  const client = await openClient(options, batch);
  const answers = await client.collect(batch.batchId).catch((thrown: unknown) => {
    // The provider knows it no more, and so it has no answers.
    if (isNotFound(thrown)) return new Map();
    throw thrown;
  });
  if (!answers) return;
  await options.line.collect(batch.batchId, answers);
  options.log.info("batch.collected", { model: batch.model, count: answers.size });
}

function isNotFound(thrown: unknown): boolean {
  return thrown instanceof SluiceError && isRecord(thrown.details) && thrown.details["status"] === 404;
}

/** Records the end of a call whose run has ended before it. What it cost, where it was sent, nobody has read: the most. */
async function close({ models, journalFor }: BatchRunnerOptions, item: AbandonedItem): Promise<void> {
  const spec = specOf(models, item);
  const settled = { inputTokens: null, outputTokens: null, costMicroUsd: item.sent ? null : 0, estimated: false };
  const now = new Date();
  const error = new SluiceError("RUN_CANCELLED", {
    message: "the run ended while its request was in the batch lane",
    details: { sent: item.sent ? "yes" : "no" },
  });
  await journalFor(item.workspaceId).settle(
    { id: item.callId, runId: item.runId },
    {
      ...settled,
      response: null,
      responseDigest: null,
      rung: null,
      status: "failed",
      error: toJson(error.toJSON()),
      finishedAt: now,
      settlement: spec && toSettlement(item.callId, spec, { settled, headers: {}, error, lane: "batch", now }),
    },
  );
}

/** @throws CONFIG_INVALID when the configuration has no such model any more; SECRET_MISSING */
async function openClient({ models, access }: BatchRunnerOptions, model: BatchModel) {
  const spec = specOf(models, model);
  if (spec) return openBatchClient(spec, access);
  throw new SluiceError("CONFIG_INVALID", {
    message: `"${model.modelName}" is no ${model.provider} model ${model.model} with a batch API any more`,
    hint: "Its requests in line are made at once, by what the name stands for now.",
  });
}

function specOf(models: ResolvedModels, { modelName, provider, model }: BatchModel): HostedModelSpec | null {
  const named = models.get(modelName);
  const specs = named ? [named.spec, ...named.fallbacks] : [];
  return specs.filter(usesBatchApi).find((spec) => spec.provider === provider && modelIdOf(spec) === model) ?? null;
}
