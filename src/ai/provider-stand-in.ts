import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** A request that a stand-in received. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a stand-in answers one request. */
export interface StandInReply {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Breaks the connection: before any byte, or in the middle of the body. */
  readonly breakOff?: "before" | "within";
  /** Never answers. */
  readonly silent?: boolean;
}

/** A server on loopback that answers as it is told and keeps what it was asked. For the tests of this room. */
export interface ProviderStandIn {
  readonly baseUrl: string;
  readonly seen: SeenRequest[];
  /** What the next requests are answered with; the last one repeats. */
  replies: StandInReply[];
  close(): Promise<void>;
}

export async function startProviderStandIn(): Promise<ProviderStandIn> {
  const server = createServer((request, response) => void receive(standIn, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const standIn: ProviderStandIn = { baseUrl, seen: [], replies: [], close: () => close(server) };
  return standIn;
}

async function receive(standIn: ProviderStandIn, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  standIn.seen.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() });
  const reply = standIn.replies.length > 1 ? standIn.replies.shift() : standIn.replies[0];
  answer(request, response, reply ?? {});
}

function answer(request: IncomingMessage, response: ServerResponse, reply: StandInReply): void {
  const { status = 200, headers = {}, body = "", breakOff, silent = false } = reply;
  if (silent) return;
  if (breakOff === "before") {
    request.socket.destroy();
    return;
  }
  const type = body.startsWith("<") ? "text/html" : "application/json";
  const length = Buffer.byteLength(body) + (breakOff === "within" ? 100 : 0);
  response.writeHead(status, { "content-type": type, "content-length": length, ...headers });
  if (breakOff === undefined) response.end(body);
  else response.write(body, () => request.socket.destroy());
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/** A chat completion as OpenAI answers it. */
export function openaiAnswer(content: string | null, more: { finish?: string; refusal?: string } = {}): StandInReply {
  const message = { role: "assistant", content, ...(more.refusal !== undefined && { refusal: more.refusal }) };
  return {
    body: JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1_700_000_000,
      model: "gpt-6-luna",
      choices: [{ index: 0, message, finish_reason: more.finish ?? "stop" }],
      usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
    }),
  };
}

/** A message as Anthropic answers it. */
export function anthropicAnswer(text: string, stopReason = "end_turn"): StandInReply {
  return {
    body: JSON.stringify({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-haiku-4-5",
      content: text === "" ? [] : [{ type: "text", text }],
      stop_reason: stopReason,
      stop_sequence: null,
      usage: { input_tokens: 1000, output_tokens: 100 },
    }),
  };
}
