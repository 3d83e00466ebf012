import type { ServerResponse } from "node:http";
import type { Reply } from "./exchange.ts";

/** Sends an answer as its `delivery` says. Does nothing more once the caller has gone. */
export async function deliver(response: ServerResponse, reply: Reply): Promise<void> {
  await wait(response, reply.delayMs ?? 0);
  if (response.destroyed) return;
  const delivery = reply.delivery ?? "complete";
  if (delivery === "reset") {
    response.socket?.resetAndDestroy();
    return;
  }
  const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
  writeHead(response, reply, Buffer.byteLength(text));
  if (delivery === "complete") {
    response.end(text);
    return;
  }
  const pieces = delivery === "trickled" ? toPieces(text) : toHalves(text);
  for (const piece of pieces.slice(0, -1)) {
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
    if (delivery !== "truncated") await wait(response, reply.stallMs ?? 0);
  }
  if (delivery === "truncated") response.destroy();
  else response.end(pieces.at(-1));
}

function toHalves(text: string): readonly (string | Buffer)[] {
  const bytes = Buffer.from(text);
  const middle = Math.ceil(bytes.length / 2);
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

/** The events of a stream; anything else in eight pieces at most. */
function toPieces(text: string): readonly string[] {
  const events = text.split(/(?<=\n\n)/);
  if (events.length > 1) return events;
  const size = Math.max(1, Math.ceil(text.length / 8));
  return text.match(new RegExp(`[^]{1,${size}}`, "gu")) ?? [text];
}

/** An event stream has no length, as with the vendors. */
function writeHead(response: ServerResponse, reply: Reply, sizeBytes: number): void {
  const headers: { [name: string]: string } = { "content-type": "application/json; charset=utf-8", ...reply.headers };
  if (headers["content-type"] !== "text/event-stream") headers["content-length"] = String(sizeBytes);
  response.writeHead(reply.status, headers);
}

async function wait(response: ServerResponse, ms: number): Promise<void> {
  if (ms <= 0) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    response.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
