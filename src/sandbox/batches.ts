/**
 * The life of a batch of model requests: validating -> in_progress -> completed | expired | failed, and from the first two
 * also -> cancelling -> cancelled. Where it is follows from its times alone, so that there is nothing to lose.
 */
import { createHash } from "node:crypto";
import { setImmediate as pause } from "node:timers/promises";
import type { Json } from "../core/index.ts";
import type { IncomingCall, Reply } from "./exchange.ts";
import type { BatchRequest, ModelBatch, SandboxState } from "./state.ts";

/** Of the time that a batch takes, the part for validating it, and for cancelling it. */
const sideShare = 0.25;
/** How many requests are answered before others get a turn. */
const requestsPerPause = 50;

export type BatchPhase = "validating" | "in_progress" | "cancelling" | "completed" | "expired" | "failed" | "cancelled";

/** What became of one request of a batch that has ended. */
export type BatchOutcome = { readonly customId: string; readonly id: string } & (
  | { readonly reply: Reply; readonly left: null }
  | { readonly reply: null; readonly left: "expired" | "cancelled" }
);

/** What the stand-ins that take batches work with. */
export interface BatchParts {
  readonly state: SandboxState;
  readonly delayMs: number;
  readonly results: BatchResults;
}

/** A new batch, which ends by itself after `delayMs`. */
export function newBatch(
  call: IncomingCall,
  delayMs: number,
  own: Pick<ModelBatch, "id" | "system" | "requests" | "origin"> & Partial<ModelBatch>,
): ModelBatch {
  const endsAt = new Date(call.at.getTime() + delayMs).toISOString();
  const createdAt = call.at.toISOString();
  return { createdAt, endsAt, cancelledAt: null, fate: "completed", failingShare: 0, ...own };
}

export function phaseOf(batch: ModelBatch, now: Date): BatchPhase {
  if (batch.cancelledAt !== null) return now < endOf(batch) ? "cancelling" : "cancelled";
  if (now < validatedAt(batch)) return "validating";
  return now < endOf(batch) ? "in_progress" : batch.fate;
}

/** Whether nothing will change any more. */
export const hasEnded = (batch: ModelBatch, now: Date): boolean => now >= endOf(batch);

export const validatedAt = (batch: ModelBatch): Date => new Date(Date.parse(batch.createdAt) + sideMs(batch));

/** When the batch ends, or ended. */
export function endOf(batch: ModelBatch): Date {
  if (batch.cancelledAt !== null) return new Date(Date.parse(batch.cancelledAt) + sideMs(batch));
  return batch.fate === "failed" ? validatedAt(batch) : new Date(batch.endsAt);
}

const sideMs = (batch: ModelBatch) => (Date.parse(batch.endsAt) - Date.parse(batch.createdAt)) * sideShare;

/** How many requests were answered when the batch ended. */
function answeredCount(batch: ModelBatch): number {
  const { length } = batch.requests;
  if (batch.cancelledAt !== null) {
    const beginMs = Date.parse(batch.createdAt);
    const spentMs = Date.parse(batch.cancelledAt) - beginMs;
    return Math.floor((length * spentMs) / Math.max(1, Date.parse(batch.endsAt) - beginMs));
  }
  return { completed: length, expired: Math.ceil(length / 2), failed: 0 }[batch.fate];
}

/** What answers one request of a batch; `id` makes the ids in the answer its own. */
export type AnswerOne = (request: BatchRequest, id: string) => Reply | Promise<Reply>;

/** The outcomes of batches that have ended, worked out when first asked for. */
export class BatchResults {
  readonly #outcomes = new Map<string, Promise<readonly BatchOutcome[]>>();

  /** @param failure What a request is answered that was drawn to fail. */
  of(batch: ModelBatch, answer: AnswerOne, failure: Reply): Promise<readonly BatchOutcome[]> {
    const known = this.#outcomes.get(batch.id) ?? workOut(batch, answer, failure);
    this.#outcomes.set(batch.id, known);
    return known;
  }
}

async function workOut(batch: ModelBatch, answer: AnswerOne, failure: Reply): Promise<readonly BatchOutcome[]> {
  const answered = answeredCount(batch);
  const left = batch.cancelledAt === null ? "expired" : "cancelled";
  const outcomes: BatchOutcome[] = [];
  for (const [index, request] of batch.requests.entries()) {
    const { customId } = request;
    const id = `${batch.id.replace(/^.*sandbox/, "")}-${index + 1}`;
    if (index >= answered) outcomes.push({ customId, id, reply: null, left });
    else if (isDrawn(batch, customId)) outcomes.push({ customId, id, reply: failure, left: null });
    else outcomes.push({ customId, id, reply: await answer(request, id), left: null });
    if (index % requestsPerPause === requestsPerPause - 1) await pause();
  }
  return outcomes;
}

/** The draw depends on batch and request, so that a request sent again in another batch has another chance. */
function isDrawn(batch: ModelBatch, customId: string): boolean {
  if (batch.failingShare === 0) return false;
  const bits = createHash("sha256").update(`${batch.id}/${customId}`).digest().readUInt32BE();
  return bits / 2 ** 32 < batch.failingShare;
}

/** One page of the batches of a system, the newest first. */
export function pageOfBatches(
  { state, system }: { readonly state: SandboxState; readonly system: ModelBatch["system"] },
  { after, limit }: { readonly after: string | null; readonly limit: number },
  toView: (batch: ModelBatch) => Json,
): Json {
  const all = [...state.batches.values()].filter((batch) => batch.system === system).toReversed();
  const start = after === null ? 0 : all.findIndex((batch) => batch.id === after) + 1;
  const page = all.slice(start, start + limit);
  return {
    data: page.map(toView),
    has_more: start + limit < all.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

/** Lines of JSON, each with its end. */
export const toJsonLines = (items: readonly Json[]): string =>
  items.map((item) => `${JSON.stringify(item)}\n`).join("");

/** The size of a page that was asked for. */
export function pageLimit(query: URLSearchParams): number {
  const limit = Number(query.get("limit") ?? 20);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, 1000) : 20;
}
