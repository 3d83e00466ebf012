import { isRecord, type Json, SluiceError, secret } from "../../core/index.ts";
import type { BatchAnswer } from "../../store/index.ts";
import type { ModelAccess } from "../model-access.ts";
import type { HostedModelSpec } from "../model-spec.ts";

/** A request of a batch: the id of its call, and what would be sent to the provider at once. */
export interface BatchLineItem {
  readonly callId: string;
  readonly body: Json;
}

/** A provider's batch API. */
export interface BatchClient {
  /** Hands requests over. Gives the provider's id of the batch. */
  submit(items: readonly BatchLineItem[]): Promise<string>;
  /** The answers by id of the call, once the batch has ended; null before. Requests that expired or were cancelled have none. */
  collect(batchId: string): Promise<ReadonlyMap<string, BatchAnswer> | null>;
}

/** Opens the batch API of a model's provider. @throws SECRET_MISSING */
export async function openBatchClient(spec: HostedModelSpec, access: ModelAccess): Promise<BatchClient> {
  return spec.provider === "anthropic" ? openAnthropic(spec, access) : openOpenai(spec, access);
}

/** @see https://platform.openai.com/docs/api-reference/batch */
async function openOpenai(spec: HostedModelSpec, access: ModelAccess): Promise<BatchClient> {
  const key = await access.resolveSecret(spec.apiKey ?? secret("OPENAI_API_KEY"));
  const ask = createAsk(access, spec.baseUrl ?? "https://api.openai.com/v1", { authorization: `Bearer ${key}` });
  return {
    async submit(items) {
      const lines = items.map(({ callId, body }) => ({
        custom_id: callId,
        method: "POST",
        url: "/v1/chat/completions",
        body,
      }));
      const form = new FormData();
      form.set("purpose", "batch");
      form.set("file", new Blob([toLines(lines)], { type: "application/jsonl" }), "batch.jsonl");
      const file = await ask.json("/files", { method: "POST", body: form });
      const order = { input_file_id: textOf(file, "id"), endpoint: "/v1/chat/completions", completion_window: "24h" };
      return textOf(await ask.json("/batches", toPost(order)), "id");
    },
    async collect(batchId) {
      const batch = await ask.json(`/batches/${encodeURIComponent(batchId)}`);
      if (!["completed", "failed", "expired", "cancelled"].includes(textOf(batch, "status"))) return null;
      const answers = new Map<string, BatchAnswer>();
      for (const field of ["output_file_id", "error_file_id"]) {
        const file = batch[field];
        if (typeof file !== "string") continue;
        for (const line of fromLines(await ask.text(`/files/${encodeURIComponent(file)}/content`))) {
          const { custom_id: callId, response } = line;
          if (typeof callId !== "string" || !isRecord(response)) continue;
          answers.set(callId, { status: Number(response["status_code"]), body: response["body"] as Json });
        }
      }
      return answers;
    },
  };
}

/** @see https://docs.anthropic.com/en/api/creating-message-batches */
async function openAnthropic(spec: HostedModelSpec, access: ModelAccess): Promise<BatchClient> {
  const key = await access.resolveSecret(spec.apiKey ?? secret("ANTHROPIC_API_KEY"));
  const headers = { "x-api-key": key, "anthropic-version": "2023-06-01" };
  const ask = createAsk(access, spec.baseUrl ?? "https://api.anthropic.com/v1", headers);
  return {
    async submit(items) {
      const requests = items.map(({ callId, body }) => ({ custom_id: callId, params: body }));
      return textOf(await ask.json("/messages/batches", toPost({ requests })), "id");
    },
    async collect(batchId) {
      const path = `/messages/batches/${encodeURIComponent(batchId)}`;
      const batch = await ask.json(path);
      if (batch["processing_status"] !== "ended") return null;
      const answers = new Map<string, BatchAnswer>();
      for (const line of fromLines(await ask.text(`${path}/results`))) {
        const { custom_id: callId, result } = line;
        const answer = isRecord(result) ? toAnthropicAnswer(result) : null;
        if (typeof callId === "string" && answer) answers.set(callId, answer);
      }
      return answers;
    },
  };
}

/** Status of errors, of which a result of a batch tells only the type. */
const anthropicStatus: { readonly [type: string]: number } = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  overloaded_error: 529,
};

function toAnthropicAnswer(result: Readonly<Record<string, unknown>>): BatchAnswer | null {
  if (result["type"] === "succeeded") return { status: 200, body: result["message"] as Json };
  if (result["type"] !== "errored" || !isRecord(result["error"])) return null;
  const error = isRecord(result["error"]["error"]) ? result["error"]["error"] : result["error"];
  return { status: anthropicStatus[String(error["type"])] ?? 500, body: result["error"] as Json };
}

function createAsk({ fetch }: ModelAccess, baseUrl: string, headers: { readonly [name: string]: string }) {
  const text = async (path: string, init: RequestInit = {}): Promise<string> => {
    const given = init.headers as { readonly [name: string]: string } | undefined;
    const response = await fetch(`${baseUrl}${path}`, { ...init, headers: { ...given, ...headers } });
    if (response.ok) return response.text();
    await response.body?.cancel();
    throw new SluiceError(
      response.status === 429 || response.status >= 500 ? "MODEL_UNAVAILABLE" : "MODEL_REQUEST_REJECTED",
      {
        message: `the batch API at ${new URL(baseUrl).origin}${path.replaceAll(/[^/]{20,}/g, "…")} answered HTTP ${response.status}`,
        hint: "The requests stay in line and are handed over again.",
        details: { status: response.status },
      },
    );
  };
  const json = async (path: string, init?: RequestInit): Promise<Readonly<Record<string, unknown>>> => {
    const body = parse(await text(path, init));
    if (isRecord(body)) return body;
    throw unreadable(path);
  };
  return { text, json };
}

function toPost(body: unknown): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function toLines(items: readonly unknown[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join("");
}

/** Lines that are not JSON objects are no answers. */
function fromLines(text: string): Readonly<Record<string, unknown>>[] {
  return text.split("\n").flatMap((line) => {
    const value = parse(line);
    return isRecord(value) ? [value] : [];
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Said by who needs it.
    return undefined;
  }
}

function textOf(record: Readonly<Record<string, unknown>>, field: string): string {
  const value = record[field];
  if (typeof value === "string") return value;
  throw unreadable(field);
}

function unreadable(what: string): SluiceError {
  return new SluiceError("MODEL_UNAVAILABLE", { message: `the batch API gave no usable answer (${what})` });
}
