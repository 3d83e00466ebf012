import { isRecord, toJson, type Json, type JsonObject } from "../core/index.ts";
import { anthropic } from "./anthropic-answers.ts";
import {
  endOf,
  hasEnded,
  newBatch,
  pageLimit,
  pageOfBatches,
  phaseOf,
  toJsonLines,
  type AnswerOne,
  type BatchOutcome,
  type BatchParts,
} from "./batches.ts";
import type { IncomingCall, Reply } from "./exchange.ts";
import type { BatchRequest, ModelBatch } from "./state.ts";

/** What the batches of Anthropic's stand-in need. */
export interface AnthropicBatchParts extends BatchParts {
  readonly answerOne: AnswerOne;
}

type Route = (call: IncomingCall, parts: AnthropicBatchParts, id: string) => Reply | Promise<Reply>;

const routes: readonly (readonly [method: string, path: RegExp, route: Route])[] = [
  ["POST", /^\/messages\/batches$/, createBatch],
  ["GET", /^\/messages\/batches$/, listBatches],
  ["GET", /^\/messages\/batches\/([^/]+)$/, withBatch(showBatch)],
  ["DELETE", /^\/messages\/batches\/([^/]+)$/, withBatch(deleteBatch)],
  ["POST", /^\/messages\/batches\/([^/]+)\/cancel$/, withBatch(cancelBatch)],
  ["GET", /^\/messages\/batches\/([^/]+)\/results$/, withBatch(readResults)],
];

/**
 * Message batches. A batch ends after the sandbox's `batchDelayMs`; its requests are answered as single ones are, limits
 * aside. Undefined when the call is for none.
 *
 * @see https://platform.claude.com/docs/en/api/creating-message-batches
 */
export function answerAnthropicBatches(
  call: IncomingCall,
  parts: AnthropicBatchParts,
): Reply | Promise<Reply> | undefined {
  for (const [method, path, route] of routes) {
    const match = method === call.method ? path.exec(call.resource) : null;
    if (match) return route(call, parts, match[1] ?? "");
  }
  return undefined;
}

function createBatch(call: IncomingCall, { delayMs }: AnthropicBatchParts): Reply {
  const requests = parseRequests(call.body);
  if (requests === undefined) {
    return anthropic.invalidRequest(
      "requests: Each needs params and a custom_id of its own, of 1 to 64 letters, digits, - and _.",
    );
  }
  const id = `msgbatch_sandbox${call.number}`;
  const batch = newBatch(call, delayMs, { id, system: "anthropic", requests, origin: null });
  return { status: 200, body: toBody(batch, [], call), effect: { kind: "model.batch.created", batch } };
}

function parseRequests(body: Json): readonly BatchRequest[] | undefined {
  const items: readonly unknown[] = isRecord(body) && Array.isArray(body["requests"]) ? body["requests"] : [];
  const requests = items.filter(isRecord).map(({ custom_id: customId, params }) => ({
    customId: typeof customId === "string" ? customId : "",
    url: "/v1/messages",
    body: isRecord(params) ? toJson({ ...params, stream: false }) : null,
  }));
  const isValid = requests.every(({ customId, body: params }) => /^[\w-]{1,64}$/.test(customId) && params !== null);
  const ids = new Set(requests.map(({ customId }) => customId));
  return isValid && ids.size === items.length && ids.size > 0 ? requests : undefined;
}

function withBatch(
  route: (batch: ModelBatch, call: IncomingCall, parts: AnthropicBatchParts) => Reply | Promise<Reply>,
): Route {
  return (call, parts, id) => {
    const batch = parts.state.batches.get(id);
    if (batch?.system !== "anthropic") return anthropic.invalidRequest(`Message Batch ${id} not found.`, 404);
    return route(batch, call, parts);
  };
}

async function showBatch(batch: ModelBatch, call: IncomingCall, parts: AnthropicBatchParts): Promise<Reply> {
  return { status: 200, body: toBody(batch, await outcomesOf(batch, call.at, parts), call) };
}

function cancelBatch(batch: ModelBatch, call: IncomingCall): Reply {
  if (hasEnded(batch, call.at)) {
    return anthropic.invalidRequest("Batch cannot be canceled because it has already ended processing.");
  }
  const cancelled: ModelBatch = { ...batch, cancelledAt: batch.cancelledAt ?? call.at.toISOString() };
  const effect = { kind: "model.batch.cancelled", batch: cancelled } as const;
  return { status: 200, body: toBody(cancelled, [], call), effect };
}

function deleteBatch({ id, ...batch }: ModelBatch, { at }: IncomingCall): Reply {
  if (!hasEnded({ id, ...batch }, at)) return anthropic.invalidRequest("Batch cannot be deleted while in progress.");
  return { status: 200, body: { id, type: "message_batch_deleted" }, effect: { kind: "model.batch.deleted", id } };
}

/** Counts are left at 0: they stand in the batch itself. */
function listBatches(call: IncomingCall, { state }: AnthropicBatchParts): Reply {
  const page = { after: call.query.get("after_id"), limit: pageLimit(call.query) };
  return {
    status: 200,
    body: pageOfBatches({ state, system: "anthropic" }, page, (batch) => toBody(batch, [], call)),
  };
}

async function readResults(batch: ModelBatch, { at }: IncomingCall, parts: AnthropicBatchParts): Promise<Reply> {
  if (!hasEnded(batch, at)) return anthropic.invalidRequest("Batch results are not available: it is still processing.");
  const outcomes = await outcomesOf(batch, at, parts);
  const lines = outcomes.map((outcome) => ({ custom_id: outcome.customId, result: toResult(outcome) }));
  return { status: 200, headers: { "content-type": "application/x-jsonl" }, body: toJsonLines(lines) };
}

function outcomesOf(batch: ModelBatch, at: Date, parts: AnthropicBatchParts): Promise<readonly BatchOutcome[]> | [] {
  return hasEnded(batch, at) ? parts.results.of(batch, parts.answerOne, anthropic.serverError()) : [];
}

type ResultKind = "succeeded" | "errored" | "canceled" | "expired";

function kindOf({ reply, left }: BatchOutcome): ResultKind {
  if (reply !== null) return reply.status === 200 ? "succeeded" : "errored";
  return left === "cancelled" ? "canceled" : "expired";
}

function toResult(outcome: BatchOutcome): JsonObject {
  const type = kindOf(outcome);
  const body = outcome.reply?.body ?? null;
  if (type === "succeeded") return { type, message: body };
  return type === "errored" ? { type, error: body } : { type };
}

function toBody(batch: ModelBatch, outcomes: readonly BatchOutcome[], { at, origin }: IncomingCall): JsonObject {
  const isEnded = hasEnded(batch, at);
  const countOf = (kind: ResultKind) => outcomes.filter((outcome) => kindOf(outcome) === kind).length;
  const status = phaseOf(batch, at) === "cancelling" ? "canceling" : "in_progress";
  return {
    id: batch.id,
    type: "message_batch",
    processing_status: isEnded ? "ended" : status,
    request_counts: {
      processing: isEnded ? 0 : batch.requests.length,
      succeeded: countOf("succeeded"),
      errored: countOf("errored"),
      canceled: countOf("canceled"),
      expired: countOf("expired"),
    },
    created_at: batch.createdAt,
    expires_at: new Date(Date.parse(batch.createdAt) + 86_400_000).toISOString(),
    archived_at: null,
    cancel_initiated_at: batch.cancelledAt,
    ended_at: isEnded ? endOf(batch).toISOString() : null,
    results_url: isEnded ? `${origin}/anthropic/v1/messages/batches/${batch.id}/results` : null,
  };
}
