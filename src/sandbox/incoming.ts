import type { IncomingMessage } from "node:http";
import { digestOf, type Json } from "../core/index.ts";
import type { IncomingCall, SandboxSystem } from "./exchange.ts";
import { slackKeyOf } from "./slack.ts";

/** What is read of a body; a longer one is answered with 413. */
const maxBodyBytes = 1_048_576;

/** The base path of each system, as its clients are given it. */
const basePaths: readonly (readonly [system: SandboxSystem, base: string, kept: string])[] = [
  ["slack", "/slack/api/", ""],
  ["hubspot", "/hubspot/", "/"],
  ["openai", "/openai/v1/", "/"],
];
/** Headers that carry credentials; the record has their digest. */
const credentialHeaders = new Set(["authorization", "proxy-authorization", "cookie", "api-key", "x-api-key"]);

/** A system, and the decoded path below its base address. */
export type FoundSystem = Pick<IncomingCall, "system" | "resource">;

/** Which system an address belongs to; undefined for none. */
export function findSystem(path: string): FoundSystem | undefined {
  for (const [system, base, kept] of basePaths) {
    if (path.startsWith(base)) return { system, resource: decoded(kept + path.slice(base.length)) };
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

/** The whole body; `too_large` above 1 MB; undefined when the caller went away before it was sent. */
export async function readBody(request: IncomingMessage): Promise<Buffer | "too_large" | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      // What is too much is still read, or the caller would see a reset in place of the answer.
      if (sizeBytes <= maxBodyBytes) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    // No call was made: there is nothing to answer, nor anyone to answer to.
    return undefined;
  }
  return sizeBytes > maxBodyBytes ? "too_large" : Buffer.concat(chunks);
}

/** What every request has, whichever part of the sandbox it is for. */
export type IncomingMessageParts = Pick<IncomingCall, "at" | "method" | "path" | "headers" | "body" | "bodyState">;

export function readMessage(request: IncomingMessage, bytes: Buffer | "too_large"): IncomingMessageParts {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  return {
    at: new Date(),
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers,
    ...parseBody(bytes, headers["content-type"] ?? ""),
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
