import type { IncomingMessage } from "node:http";
import { digestOf, type Json } from "../core/index.ts";
import type { IncomingCall, SandboxSystem } from "./exchange.ts";
import { slackKeyOf } from "./slack.ts";

/** What is read of a body; a longer one is answered with 413. Those for models carry documents, pictures and batches. */
const maxBodyBytes = 1_048_576;
const maxModelBodyBytes = 67_108_864;

/** The base path of each system, as its clients are given it. */
const basePaths: readonly (readonly [system: SandboxSystem, base: string, kept: string, maxBodyBytes: number])[] = [
  ["slack", "/slack/api/", "", maxBodyBytes],
  ["hubspot", "/hubspot/", "/", maxBodyBytes],
  ["openai", "/openai/v1/", "/", maxModelBodyBytes],
  ["anthropic", "/anthropic/v1/", "/", maxModelBodyBytes],
  ["cohere", "/cohere/v2/", "/", maxModelBodyBytes],
];
/** Headers that carry credentials; the record has their digest. */
const credentialHeaders = new Set(["authorization", "proxy-authorization", "cookie", "api-key", "x-api-key"]);

/** A system, the decoded path below its base address, and the size of body that it takes. */
export type FoundSystem = Pick<IncomingCall, "system" | "resource" | "maxBodyBytes">;

/** Which system an address belongs to; undefined for none. */
export function findSystem(path: string): FoundSystem | undefined {
  for (const [system, base, kept, size] of basePaths) {
    if (!path.startsWith(base)) continue;
    return { system, resource: decoded(kept + path.slice(base.length)), maxBodyBytes: size };
  }
  return undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A stray % names nothing that exists: the stand-in then answers as for any unknown path.
    return path;
  }
}

/** The whole body; `too_large` above `mostBytes`; undefined when the caller went away before it was sent. */
export async function readBody(
  request: IncomingMessage,
  mostBytes = maxBodyBytes,
): Promise<Buffer | "too_large" | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      // What is too much is still read, or the caller would see a reset in place of the answer.
      if (sizeBytes <= mostBytes) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    // No call was made: there is nothing to answer, nor anyone to answer to.
    return undefined;
  }
  return sizeBytes > mostBytes ? "too_large" : Buffer.concat(chunks);
}

/** What every request has, whichever part of the sandbox it is for. */
export type IncomingMessageParts = Pick<IncomingCall, "at" | "method" | "path" | "headers" | "body" | "bodyState">;

export async function readMessage(
  request: IncomingMessage,
  bytes: Buffer | "too_large",
): Promise<IncomingMessageParts> {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  const contentType = headers["content-type"] ?? "";
  const isForm = contentType.startsWith("multipart/form-data") && bytes !== "too_large";
  return {
    at: new Date(),
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers,
    ...(isForm ? await parseMultipart(bytes, contentType) : parseBody(bytes, contentType)),
  };
}

/** The key in the header `idempotency-key`; Slack's calls carry it in the message's metadata. */
export function idempotencyKeyOf(system: SandboxSystem, { headers, body }: IncomingMessageParts): string | null {
  return headers["idempotency-key"] ?? (system === "slack" ? slackKeyOf(body) : null);
}

function parseBody(bytes: Buffer | "too_large", contentType: string): Pick<IncomingCall, "body" | "bodyState"> {
  if (bytes === "too_large") return { body: null, bodyState: "too_large" };
  const text = bytes.toString("utf8");
  if (text === "") return { body: null, bodyState: "parsed" };
  if (contentType.startsWith("application/x-www-form-urlencoded")) {
    return { body: Object.fromEntries(new URLSearchParams(text)), bodyState: "parsed" };
  }
  try {
    const body = JSON.parse(text) as Json;
    // Throws for a body nested too deep to be written again, as the record must.
    JSON.stringify(body);
    return { body, bodyState: "parsed" };
  } catch {
    // The record keeps what came; the stand-in refuses it in its own words.
    return { body: text, bodyState: "broken" };
  }
}

/** The fields of a form; of a file its name and text. */
async function parseMultipart(bytes: Buffer, contentType: string): Promise<Pick<IncomingCall, "body" | "bodyState">> {
  try {
    const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } }).formData();
    const fields = [...form].map(async ([name, value]) => [
      name,
      typeof value === "string" ? value : { filename: value.name, text: await value.text() },
    ]);
    return { body: Object.fromEntries(await Promise.all(fields)) as Json, bodyState: "parsed" };
  } catch {
    // No form after all: the stand-in refuses it in its own words.
    return { body: bytes.toString("utf8"), bodyState: "broken" };
  }
}

/** Headers and body as the record keeps them: credentials as digests, which still tell one from another. */
export function withoutCredentials(call: IncomingCall): Pick<IncomingCall, "headers" | "body"> {
  const headers = Object.entries(call.headers).map(([name, value]) => [
    name,
    credentialHeaders.has(name) ? digestOf(value) : value,
  ]);
  const { body } = call;
  const hasToken = call.system === "slack" && typeof body === "object" && body !== null && "token" in body;
  return {
    headers: Object.fromEntries(headers) as { [name: string]: string },
    body: hasToken ? { ...body, token: digestOf(body.token) } : body,
  };
}
