import { isRecord, type JsonObject } from "../core/index.ts";
import type { IncomingCall, Reply } from "./exchange.ts";
import { openai } from "./openai-answers.ts";
import type { ModelFile, SandboxState } from "./state.ts";

/** Seconds since 1970, as OpenAI writes times. */
export const toSeconds = (time: string | Date): number => Math.floor(new Date(time).getTime() / 1000);

export const noSuchFile = (id: string): Reply => openai.invalidRequest(`No such File object: ${id}`, 404);

/** Takes a file as OpenAI does: a form with `file` and `purpose`. @see https://platform.openai.com/docs/api-reference/files */
export function uploadFile({ body, number, at }: IncomingCall): Reply {
  const { file, purpose } = isRecord(body) ? body : {};
  const { filename, text } = isRecord(file) ? file : {};
  if (typeof filename !== "string" || typeof text !== "string") {
    return openai.invalidRequest("'file' is a required property");
  }
  if (typeof purpose !== "string") return openai.invalidRequest("'purpose' is a required property");
  const kept: ModelFile = {
    id: `file-sandbox${number}`,
    filename,
    purpose,
    text,
    createdAt: at.toISOString(),
  };
  return { status: 200, body: toFileView(kept), effect: { kind: "model.file.uploaded", file: kept } };
}

export function readFileView(id: string, state: SandboxState): Reply {
  const file = state.files.get(id);
  return file ? { status: 200, body: toFileView(file) } : noSuchFile(id);
}

/** Also for the files that batches wrote. */
export function deleteFile(id: string, state: SandboxState, exists: boolean): Reply {
  if (!exists || state.deletedFiles.has(id)) return noSuchFile(id);
  return { status: 200, body: { id, object: "file", deleted: true }, effect: { kind: "model.file.deleted", id } };
}

export const toFileContent = (text: string): Reply => ({
  status: 200,
  headers: { "content-type": "application/octet-stream" },
  body: text,
});

function toFileView({ id, filename, purpose, text, createdAt }: ModelFile): JsonObject {
  const bytes = Buffer.byteLength(text);
  return { id, object: "file", bytes, created_at: toSeconds(createdAt), filename, purpose, status: "processed" };
}
