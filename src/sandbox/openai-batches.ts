import { isRecord, toJson, type Json, type JsonObject } from "../core/index.ts";
import {
  endOf,
  hasEnded,
  newBatch,
  pageLimit,
  pageOfBatches,
  phaseOf,
  toJsonLines,
  validatedAt,
  type AnswerOne,
  type BatchOutcome,
  type BatchParts,
} from "./batches.ts";
import type { IncomingCall, Reply } from "./exchange.ts";
import { openai } from "./openai-answers.ts";
import { deleteFile, noSuchFile, readFileView, toFileContent, toSeconds, uploadFile } from "./openai-files.ts";
import type { BatchRequest, ModelBatch } from "./state.ts";

/** What the batches of OpenAI's stand-in need. */
export interface OpenaiBatchParts extends BatchParts {
  readonly answerOne: AnswerOne;
}

type Route = (call: IncomingCall, parts: OpenaiBatchParts, id: string) => Reply | Promise<Reply>;

const routes: readonly (readonly [method: string, path: RegExp, route: Route])[] = [
  ["POST", /^\/files$/, uploadFile],
  ["GET", /^\/files\/([^/]+)$/, (_call, { state }, id) => readFileView(id, state)],
  ["DELETE", /^\/files\/([^/]+)$/, removeFile],
  ["GET", /^\/files\/([^/]+)\/content$/, readContent],
  ["POST", /^\/batches$/, createBatch],
  ["GET", /^\/batches$/, listBatches],
  ["GET", /^\/batches\/([^/]+)$/, withBatch(showBatch)],
  ["POST", /^\/batches\/([^/]+)\/cancel$/, withBatch(cancelBatch)],
];

/**
 * Files and batches. A batch ends after the sandbox's `batchDelayMs`; its requests are answered as single ones are, limits
 * aside. Undefined when the call is for neither.
 *
 * @see https://platform.openai.com/docs/api-reference/batch
 */
export function answerOpenaiBatches(call: IncomingCall, parts: OpenaiBatchParts): Reply | Promise<Reply> | undefined {
  for (const [method, path, route] of routes) {
    const match = method === call.method ? path.exec(call.resource) : null;
    if (match) return route(call, parts, match[1] ?? "");
  }
  return undefined;
}

function createBatch(call: IncomingCall, { state, delayMs }: OpenaiBatchParts): Reply | Promise<Reply> {
  const body = isRecord(call.body) ? call.body : {};
  const { input_file_id: inputFileId, endpoint } = body;
  if (typeof inputFileId !== "string") return openai.invalidRequest("'input_file_id' is a required property");
  if (typeof endpoint !== "string" || !/^\/v1\/(?:chat\/completions|responses|embeddings)$/.test(endpoint)) {
    return openai.invalidRequest(`Invalid value for 'endpoint'. Supported values are the endpoints of the Batch API.`);
  }
  if (body["completion_window"] !== "24h") return openai.invalidRequest("Invalid value for 'completion_window'.");
  const file = state.files.get(inputFileId);
  if (file === undefined) return noSuchFile(inputFileId);
  const requests = parseRequests(file.text, endpoint);
  const batch = newBatch(call, delayMs, {
    id: `batch_sandbox${call.number}`,
    system: "openai",
    requests: requests ?? [],
    origin: { endpoint, inputFileId, metadata: toJson(body["metadata"]) },
    ...(requests === undefined && { fate: "failed" }),
  });
  return { status: 200, body: toView(batch, [], call.at), effect: { kind: "model.batch.created", batch } };
}

/** Undefined when a line is no request for the endpoint, or two have the same id: OpenAI then takes none. */
function parseRequests(text: string, endpoint: string): readonly BatchRequest[] | undefined {
  const requests: BatchRequest[] = [];
  try {
    for (const line of text.split("\n").filter((item) => item.trim() !== "")) {
      const { custom_id: customId, url, body } = JSON.parse(line) as { [field: string]: Json };
      if (typeof customId !== "string" || url !== endpoint || !isRecord(body)) return undefined;
      requests.push({ customId, url, body: { ...body, stream: false } });
    }
  } catch {
    // No JSON: the batch fails in validation, and says so.
    return undefined;
  }
  const ids = new Set(requests.map(({ customId }) => customId));
  return ids.size === requests.length && ids.size > 0 ? requests : undefined;
}

function withBatch(
  route: (batch: ModelBatch, call: IncomingCall, parts: OpenaiBatchParts) => Reply | Promise<Reply>,
): Route {
  return (call, parts, id) => {
    const batch = parts.state.batches.get(id);
    if (batch?.system !== "openai") return openai.invalidRequest(`No batch found with id '${id}'.`, 404);
    return route(batch, call, parts);
  };
}

async function showBatch(batch: ModelBatch, { at }: IncomingCall, parts: OpenaiBatchParts): Promise<Reply> {
  return { status: 200, body: toView(batch, await outcomesOf(batch, at, parts), at) };
}

function cancelBatch(batch: ModelBatch, { at }: IncomingCall): Reply {
  const phase = phaseOf(batch, at);
  if (phase !== "validating" && phase !== "in_progress") {
    return openai.invalidRequest(`Cannot cancel a batch with status '${phase}'.`, 409);
  }
  const cancelled: ModelBatch = { ...batch, cancelledAt: at.toISOString() };
  return { status: 200, body: toView(cancelled, [], at), effect: { kind: "model.batch.cancelled", batch: cancelled } };
}

/** Counts are left at 0: they stand in the batch itself. */
function listBatches({ query, at }: IncomingCall, { state }: OpenaiBatchParts): Reply {
  const page = { after: query.get("after"), limit: pageLimit(query) };
  const listed = pageOfBatches({ state, system: "openai" }, page, (batch) => toView(batch, [], at));
  return { status: 200, body: { object: "list", ...(listed as JsonObject) } };
}

function outcomesOf(batch: ModelBatch, at: Date, parts: OpenaiBatchParts): Promise<readonly BatchOutcome[]> | [] {
  return hasEnded(batch, at) ? parts.results.of(batch, parts.answerOne, openai.serverError()) : [];
}

const isAnswered = ({ reply }: BatchOutcome) => reply?.status === 200;

/** The file that a batch writes its answers to, and the one for what was not answered. */
const outputFileOf = (batch: ModelBatch) => batch.id.replace("batch_", "file-output-");
const errorFileOf = (batch: ModelBatch) => batch.id.replace("batch_", "file-errors-");

async function readContent({ at }: IncomingCall, parts: OpenaiBatchParts, id: string): Promise<Reply> {
  const { state } = parts;
  const uploaded = state.files.get(id);
  if (uploaded) return toFileContent(uploaded.text);
  const batch = batchOfFile(id, parts);
  if (batch === undefined || state.deletedFiles.has(id)) return noSuchFile(id);
  const wanted = (await outcomesOf(batch, at, parts)).filter(
    (outcome) => isAnswered(outcome) === (id === outputFileOf(batch)),
  );
  return wanted.length === 0 ? noSuchFile(id) : toFileContent(toJsonLines(wanted.map(toLine)));
}

function removeFile(_call: IncomingCall, parts: OpenaiBatchParts, id: string): Reply {
  const exists = parts.state.files.has(id) || batchOfFile(id, parts) !== undefined;
  return deleteFile(id, parts.state, exists);
}

function batchOfFile(id: string, { state }: OpenaiBatchParts): ModelBatch | undefined {
  return state.batches.get(id.replace(/^file-(?:output|errors)-/, "batch_"));
}

/** @see https://platform.openai.com/docs/guides/batch#5-retrieve-the-results */
function toLine({ customId, id, reply, left }: BatchOutcome): Json {
  const message = "This request could not be executed before the batch ended.";
  return {
    id: `batch_req_sandbox${id}`,
    custom_id: customId,
    response: reply && { status_code: reply.status, request_id: `req_sandbox${id}`, body: reply.body },
    error: left && { code: `batch_${left}`, message },
  };
}

function toView(batch: ModelBatch, outcomes: readonly BatchOutcome[], now: Date): JsonObject {
  const phase = phaseOf(batch, now);
  const completed = outcomes.filter(isAnswered).length;
  const created = toSeconds(batch.createdAt);
  const endedAs = (...phases: readonly string[]) => (phases.includes(phase) ? toSeconds(endOf(batch)) : null);
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.origin?.endpoint ?? null,
    errors: phase === "failed" ? invalidInput : null,
    input_file_id: batch.origin?.inputFileId ?? null,
    completion_window: "24h",
    status: phase,
    output_file_id: completed > 0 ? outputFileOf(batch) : null,
    error_file_id: outcomes.length > completed ? errorFileOf(batch) : null,
    created_at: created,
    in_progress_at: now < validatedAt(batch) || phase === "failed" ? null : toSeconds(validatedAt(batch)),
    expires_at: created + 86_400,
    finalizing_at: endedAs("completed"),
    completed_at: endedAs("completed"),
    failed_at: endedAs("failed"),
    expired_at: endedAs("expired"),
    cancelling_at: batch.cancelledAt === null ? null : toSeconds(batch.cancelledAt),
    cancelled_at: endedAs("cancelled"),
    request_counts: { total: batch.requests.length, completed, failed: outcomes.length - completed },
    metadata: batch.origin?.metadata ?? null,
  };
}

const invalidInput: JsonObject = {
  object: "list",
  data: [{ code: "invalid_json_line", message: "This line is not a valid request.", param: null, line: 1 }],
};
