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
  const bytes = Buffer.from(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
  const middle = Math.ceil(bytes.length / 2);
  writeHead(response, reply, bytes.length);
  if (delivery === "complete") {
    response.end(bytes);
    return;
  }
  await new Promise<void>((resolve) => response.write(bytes.subarray(0, middle), () => resolve()));
  if (delivery === "stalled") await wait(response, reply.stallMs ?? 0);
  if (delivery === "stalled") response.end(bytes.subarray(middle));
  else response.destroy();
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
